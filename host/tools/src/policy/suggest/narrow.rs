//! Making few permits of many: as wide as all of them together and no wider, or wider only where the owner says so.

use super::learned::Use;
use bulkhead_policy::shape::{Key, Kind};
use bulkhead_policy::{Grant, Value};
use std::collections::BTreeMap;

/// Keys of lists of words and names of which one use asks for one. Of the others one use asks for several: there, a list of
/// both would permit what takes one of each, which neither permits.
const ONE_AT_A_TIME: &[(&str, &str)] = &[("power", "modes"), ("accounts", "users"), ("accounts", "may")];

/// As few permits as say the same.
pub(super) fn merged(mut uses: Vec<Use>) -> Vec<Use> {
    'again: loop {
        for one in 0..uses.len() {
            for other in 0..uses.len() {
                if one == other {
                    continue;
                }
                if let Some(grant) = both(&uses[one].grant, &uses[other].grant) {
                    let gone = uses.remove(other);
                    let kept = &mut uses[if other < one { one - 1 } else { one }];
                    kept.grant = grant;
                    kept.add(&gone);
                    continue 'again;
                }
            }
        }
        return uses;
    }
}

/// A permit that says what both say and no more, if there is one.
pub(in crate::policy) fn both(one: &Grant, other: &Grant) -> Option<Grant> {
    if one.makes_needless(other) {
        return Some(one.clone());
    }
    let same_keys = one.values.len() == other.values.len()
        && one.values.iter().zip(&other.values).all(|((left, _), (right, _))| left.name == right.name);
    if one.shape != other.shape || one.modules != other.modules || !same_keys {
        return None;
    }
    let differs = |index: &usize| one.values[*index].1 != other.values[*index].1;
    let mut differing = (0..one.values.len()).filter(differs);
    let (Some(index), None) = (differing.next(), differing.next()) else { return None };
    let (key, value) = &one.values[index];
    if !is_one_at_a_time(one, key) {
        return None;
    }
    let mut grant = one.clone();
    grant.values[index].1 = union(value, &other.values[index].1)?;
    Some(grant)
}

fn is_one_at_a_time(grant: &Grant, key: &Key) -> bool {
    match key.kind {
        Kind::Trees | Kind::Paths | Kind::Patterns | Kind::Numbers | Kind::Templates => true,
        Kind::Words(_) | Kind::Names => ONE_AT_A_TIME.contains(&(grant.shape.capability, key.name)),
        _ => false,
    }
}

fn union(one: &Value, other: &Value) -> Option<Value> {
    fn list<T: Ord + Clone>(one: &[T], other: &[T]) -> Vec<T> {
        let mut all: Vec<T> = one.iter().chain(other).cloned().collect();
        all.sort();
        all.dedup();
        all
    }
    Some(match (one, other) {
        (Value::Texts(one), Value::Texts(other)) => Value::Texts(list(one, other)),
        (Value::Patterns(one), Value::Patterns(other)) => Value::Patterns(list(one, other)),
        (Value::Numbers(one), Value::Numbers(other)) => Value::Numbers(list(one, other)),
        (Value::Templates(one), Value::Templates(other)) => Value::Templates(list(one, other)),
        _ => return None,
    })
}

/// Permits that are wider: of several files in a folder the folder, of argument lists that differ in one place any
/// argument there. Also what was made wider, in words.
pub(super) fn generalized(mut uses: Vec<Use>) -> (Vec<Use>, Vec<String>) {
    let mut told = Vec::new();
    for (key, value) in uses.iter_mut().flat_map(|it| &mut it.grant.values) {
        match (key.kind, value) {
            (Kind::Trees, Value::Texts(trees)) => *trees = folders(trees, &mut told),
            (Kind::Templates, Value::Templates(templates)) => *templates = open(templates, &mut told),
            _ => {}
        }
    }
    (uses, told)
}

fn folders(trees: &[String], told: &mut Vec<String>) -> Vec<String> {
    let mut by_folder: BTreeMap<&str, Vec<&String>> = BTreeMap::new();
    for tree in trees {
        by_folder.entry(tree.rsplit_once('/').map_or("", |(folder, _)| folder)).or_default().push(tree);
    }
    let mut wider = Vec::new();
    for (folder, files) in by_folder {
        // The folder of all folders would permit everything.
        if files.len() < 2 || folder.is_empty() {
            wider.extend(files.into_iter().cloned());
            continue;
        }
        let names: Vec<_> = files.iter().map(|file| file.as_str()).collect();
        told.push(format!("Made wider: {folder} for {}.", names.join(", ")));
        wider.push(folder.to_owned());
    }
    wider.sort();
    wider
}

fn open(templates: &[Vec<String>], told: &mut Vec<String>) -> Vec<Vec<String>> {
    let mut wider = templates.to_vec();
    let place = |one: &[String], other: &[String]| {
        let mut differing = (0..one.len()).filter(|index| one[*index] != other[*index]);
        differing.next().filter(|_| one.len() == other.len() && differing.next().is_none())
    };
    loop {
        let pairs = (0..wider.len()).flat_map(|one| (0..one).map(move |other| (one, other)));
        let Some((one, other, index)) = pairs
            .filter(|(one, other)| wider[*one].len() == wider[*other].len())
            .find_map(|(one, other)| Some((one, other, place(&wider[one], &wider[other])?)))
        else {
            wider.sort();
            return wider;
        };
        let gone = wider.remove(one);
        told.push(format!("Made wider: '*' for the argument {} of {:?} and {gone:?}.", index + 1, wider[other]));
        wider[other][index] = "*".to_owned();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(lists: &[&[&str]]) -> Vec<Vec<String>> {
        lists.iter().map(|list| list.iter().map(|word| (*word).to_owned()).collect()).collect()
    }

    #[test]
    fn arguments_that_differ_in_one_place_become_any() {
        let mut told = Vec::new();
        let given = words(&[&["restart", "a"], &["restart", "b"], &["restart", "c"], &["stop", "x", "y"], &["stop"]]);
        assert_eq!(open(&given, &mut told), words(&[&["restart", "*"], &["stop"], &["stop", "x", "y"]]));
        assert_eq!(told.len(), 2, "{told:?}");
        let apart = words(&[&["restart", "a"], &["stop", "b"]]);
        assert_eq!(open(&apart, &mut told), apart, "both words at once would be wider than anybody asked");
    }

    #[test]
    fn a_folder_stands_for_files_but_never_for_all() {
        let mut told = Vec::new();
        let trees = |list: &[&str]| list.iter().map(|tree| (*tree).to_owned()).collect::<Vec<_>>();
        let given = trees(&["/a/x", "/a/y", "/a/b/z", "/m", "/n"]);
        assert_eq!(folders(&given, &mut told), trees(&["/a", "/a/b/z", "/m", "/n"]));
        assert_eq!(told, ["Made wider: /a for /a/x, /a/y."]);
    }
}
