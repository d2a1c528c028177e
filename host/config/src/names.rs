//! Names of commands in lists, and words that are near others.

use strsim::osa_distance;

/// What a command line is judged by that this crate cannot know.
#[derive(Clone, Copy)]
pub struct Known<'a> {
    /// What is wrong with the name of a command in a list, as a sentence, if something is.
    pub command_fault: &'a dyn Fn(&str) -> Option<String>,
    /// Whether the program stands in for `qemu-ga`, which takes no notice of words that belong to no option.
    pub is_drop_in: bool,
}

impl Known<'_> {
    /// What is wrong with a name in a list. An empty one is none, and changes nothing.
    pub(crate) fn name_fault(&self, name: &str) -> Option<String> {
        let fault = (self.command_fault)(name).filter(|_| !name.is_empty())?;
        let separates = |character: char| character.is_whitespace() || ";:|\"'#".contains(character);
        let form =
            if name.contains(separates) { "; a list has commas between its names, and nothing else" } else { "" };
        Some(fault + form)
    }
}

/// The names of a comma separated list, last one first (see [`Config::block_rpcs`](crate::Config::block_rpcs)). White
/// space around a name is not part of it: to `qemu-ga` it is, and a list that was written with spaces blocks its first
/// name alone. Between two commas is an empty name, which no command has.
pub(crate) fn list(text: &str) -> impl Iterator<Item = String> {
    text.rsplit(',').filter(move |_| !text.is_empty()).map(|name| name.trim().to_owned())
}

/// `, did you mean 'X'?` if one of `known` is near `word`: if every fourth character is another one, or has changed places.
pub(crate) fn suggestion<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let near = |known: &&str| osa_distance(word, known) <= known.chars().count().div_ceil(4);
    let best = known.into_iter().filter(near).min_by_key(|known| osa_distance(word, known));
    best.map_or(String::new(), |best| format!(", did you mean '{best}'?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_cut_at_every_comma_and_white_space_is_no_part_of_a_name() {
        let names = |text| list(text).collect::<Vec<_>>();
        assert_eq!(names("a,b c;d"), ["b c;d", "a"]);
        assert_eq!(names("a, b ,\tc\u{a0}"), ["c", "b", "a"]);
        assert_eq!(names("a,,"), ["", "", "a"]);
        assert!(names("").is_empty());
    }

    #[test]
    fn what_separates_nothing_is_explained() {
        let known = Known { command_fault: &|name| (name != "good").then(|| format!("no '{name}'")), is_drop_in: true };
        assert_eq!(known.name_fault("good"), None);
        assert_eq!(known.name_fault(""), None, "a comma too many");
        assert_eq!(known.name_fault("god").unwrap(), "no 'god'");
        for name in ["a;b", "a b", "\"a\"", "a # b", "'a'", "a:b"] {
            let said = known.name_fault(name).unwrap();
            assert_eq!(said, format!("no '{name}'; a list has commas between its names, and nothing else"));
        }
    }

    #[test]
    fn only_a_near_word_is_suggested() {
        let tools = ["policy", "module", "status", "audit"];
        for (word, meant) in [("statsu", "status"), ("polici", "policy"), ("modul", "module"), ("adit", "audit")] {
            assert_eq!(suggestion(word, tools), format!(", did you mean '{meant}'?"));
        }
        for word in ["", "start", "sta", "x"] {
            assert_eq!(suggestion(word, tools), "", "{word}");
        }
    }
}
