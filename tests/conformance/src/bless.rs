//! Rewrites what a transcript expects into what was seen. The result is for a person to read, line by line, before it
//! is committed: the agent is not right because it said so.

use crate::player::Observation;
use crate::transcript::Transcript;
use anyhow::Result;

/// The longest line that is written into a transcript; a longer answer is for a person to put in other words.
const LONGEST: usize = 2000;

/// The transcript's text with the lines of every step that differed replaced.
pub fn rewritten(text: &str, transcript: &Transcript, observation: &Observation) -> String {
    let mut out: Vec<String> = Vec::new();
    let lines: Vec<&str> = text.lines().collect();
    let mut next = 0;
    for (step, seen) in transcript.steps.iter().zip(&observation.seen) {
        let last = step.expected.last().map_or(step.line, |expected| expected.line);
        let differs = observation.differences.iter().any(|it| (step.line..=last).contains(&it.line));
        if !differs {
            continue;
        }
        out.extend(lines[next..step.line].iter().map(|line| (*line).to_owned()));
        out.extend(seen.iter().map(|line| if line.len() > LONGEST { "<~ {}".to_owned() } else { line.clone() }));
        next = last;
    }
    out.extend(lines[next..].iter().map(|line| (*line).to_owned()));
    out.join("\n") + "\n"
}

/// Rewrites the file.
pub fn bless(transcript: &Transcript, observation: &Observation) -> Result<()> {
    let text = std::fs::read_to_string(&transcript.path)?;
    Ok(std::fs::write(&transcript.path, rewritten(&text, transcript, observation))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::player::Difference;
    use crate::transcript::parse;

    #[test]
    fn only_what_differed_is_written_anew() {
        let text = "# why\n-> a\n<- 1\n-> b\n<- 2\n<- 3\n\n# then\n-> c\n<- 4\n";
        let transcript = parse("x/y".into(), "y.txt".into(), text).unwrap();
        let difference = Difference { line: 5, action: "-> b".into(), expected: "<- 2".into(), got: "<- 9".into() };
        let seen = vec![vec!["<- 1".into()], vec!["<- 9".into()], vec!["<- 4".into()]];
        let got = rewritten(text, &transcript, &Observation { differences: vec![difference], seen });
        assert_eq!(got, "# why\n-> a\n<- 1\n-> b\n<- 9\n\n# then\n-> c\n<- 4\n");
    }
}
