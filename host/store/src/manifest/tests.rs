use super::*;
use crate::samples;

fn said(change: impl FnOnce(&mut Manifest)) -> String {
    let mut manifest = samples::manifest(1);
    change(&mut manifest);
    manifest.check().unwrap_err().to_string()
}

#[test]
fn what_is_written_into_a_component_is_read_again() {
    let manifest = samples::manifest(3);
    let component = manifest.append(b"before");
    let section = component.strip_prefix(b"before").unwrap();
    assert_eq!(section, manifest.section());
    // A section is its kind, its length, the length of its name, the name and the contents.
    let (kind, rest) = section.split_first().unwrap();
    let (length, rest) = read_leb128(rest);
    assert_eq!((*kind, length), (0, rest.len()));
    let (length, rest) = read_leb128(rest);
    let (name, json) = rest.split_at(length);
    assert_eq!(name, SECTION.as_bytes());
    assert_eq!(Manifest::parse(json).unwrap(), manifest);
    assert_eq!(manifest.check().unwrap().module, samples::NAME);
}

fn read_leb128(bytes: &[u8]) -> (usize, &[u8]) {
    let end = bytes.iter().position(|byte| byte & 0x80 == 0).unwrap() + 1;
    let digits = bytes[..end].iter().rev().map(|byte| usize::from(byte & 0x7f));
    (digits.fold(0, |length, digit| length << 7 | digit), &bytes[end..])
}

#[test]
fn lengths_are_written_as_wasm_writes_them() {
    for (length, bytes) in [(0, &[0][..]), (127, &[127]), (128, &[0x80, 1]), (624_485, &[0xe5, 0x8e, 0x26])] {
        assert_eq!(leb128(length), bytes);
    }
}

#[test]
fn what_cannot_be_read_is_refused() {
    let text = serde_json::to_string(&samples::manifest(1)).unwrap();
    for cut in 0..text.len() {
        assert!(matches!(Manifest::parse(&text.as_bytes()[..cut]), Err(ManifestError::Unreadable(_))), "{cut}");
    }
    let more = text.replacen('{', "{\"more\":1,", 1);
    assert!(matches!(Manifest::parse(more.as_bytes()), Err(ManifestError::Unreadable(_))));
    let long = format!("{text}{}", " ".repeat(LONGEST));
    assert!(Manifest::parse(long.as_bytes()).unwrap_err().to_string().contains("longer than"));
    assert!(Manifest::parse(&long.as_bytes()[..LONGEST]).is_ok());
}

#[test]
fn numbers_and_words_have_bounds() {
    assert!(said(|it| it.manifest = 2).contains("its form is 2"));
    assert!(said(|it| it.counter = 0).contains("counter"));
    assert!(said(|it| it.schema += &"\n".repeat(LONGEST)).contains("longer than"));
    for name in ["", "Example", "com.example/../x", "com..example", "com.example "] {
        assert!(said(|it| it.name = name.to_owned()).contains("is not a name of a module"), "{name}");
    }
    for version in ["", "1 0", "1\n", "1\u{e9}", &"1".repeat(VERSION + 1)] {
        assert!(said(|it| it.version = version.to_owned()).contains("version"), "{version}");
    }
    for agent in ["", "1", "0.1", "0.1.0.0", "0.1.x", "0.1.-1", "0..1", "+0.1.0", "0.1.99999999999999999999"] {
        assert!(said(|it| it.agent = agent.to_owned()).contains("oldest agent"), "{agent}");
    }
    for description in ["", "  ", "a\nb", "a\u{1b}[31m", &"x".repeat(DESCRIPTION + 1)] {
        assert!(said(|it| it.description = description.to_owned()).contains("description"), "{description}");
    }
    assert!(said(|it| it.commands.clear()).contains("it has 0 commands"));
    assert!(said(|it| it.commands = vec![it.commands[0].clone(); COMMANDS + 1]).contains("it has 65 commands"));
    assert!(said(|it| it.self_test = vec![it.self_test[0].clone(); SELF_TESTS + 1]).contains("65 requests"));
}

#[test]
fn commands_are_those_of_the_schema() {
    assert!(said(|it| it.commands.push(it.commands[0].clone())).contains("is there twice"));
    assert!(said(|it| it.commands[0].name = "__com.example_other".into()).contains("not in the schema"));
    assert!(said(|it| it.commands[0].while_frozen = false).contains("allowed-while-frozen"));
    assert!(said(|it| it.commands[0].success_response = false).contains("success-response"));
    assert!(said(|it| it.commands[0].arguments.clear()).contains("its arguments"));
    assert!(said(|it| it.commands[0].arguments[0].name = "other".into()).contains("its arguments"));
    assert!(said(|it| it.schema.push('{')).contains("the schema: com.example.backup.json:"));
    assert!(said(add_a_command).contains("the schema has the command __com.example_more"));
}

#[test]
fn no_damage_to_a_schema_is_more_than_an_error() {
    let whole = samples::manifest(1).schema;
    let is_right = |schema: String| Manifest { schema, ..samples::manifest(1) }.check().is_ok();
    assert!(is_right(whole.clone()));
    for at in 0..whole.trim_end().len() {
        assert!(!is_right(whole[..at].to_owned()), "cut at {at}");
        for put in ["\u{e9}", "{", "'", "\0", "\n"] {
            // In the text of a comment some of these are right.
            is_right(format!("{}{put}{}", &whole[..at], &whole[at..]));
            is_right(format!("{}{put}{}", &whole[..at], &whole[at + 1..]));
        }
    }
}

fn add_a_command(manifest: &mut Manifest) {
    manifest.schema +=
        "\n##\n# @__com.example_more:\n#\n# More.\n#\n# Since: 0.1.0\n##\n{ 'command': '__com.example_more' }\n";
}

#[test]
fn a_vendor_owns_commands_of_its_own_domain_only() {
    for (name, is_right) in
        [("com.example", true), ("com.example.a.b", true), ("com.examples", false), ("org.x", false)]
    {
        let mut manifest = samples::manifest(1);
        manifest.name = name.to_owned();
        assert_eq!(manifest.check().is_ok(), is_right, "{name}");
    }
    // Which module is built in, and what it has, is for the host to say.
    let mut manifest = samples::manifest(1);
    manifest.name = "file".to_owned();
    manifest.check().unwrap();
}

#[test]
fn a_self_test_is_of_the_modules_own_commands() {
    assert!(said(|it| it.self_test[0].execute = "guest-ping".into()).contains("guest-ping"));
    for arguments in ["", "1", "[]", "{", "{}{}", "null"] {
        assert!(said(|it| it.self_test[0].arguments = arguments.into()).contains("not a JSON object"), "{arguments}");
    }
    assert!(said(|it| it.self_test[0].expect = Expect::Return("{".into())).contains("not JSON"));
}

#[test]
fn an_agent_is_old_enough_or_not() {
    let mut manifest = samples::manifest(1);
    for (least, agent, is_for) in [
        ("0.1.0", "0.1.0", true),
        ("0.1.0", "0.2.0", true),
        ("0.9.0", "0.10.0", true),
        ("0.1.1", "0.1.0", false),
        ("1.0.0", "0.9.9", false),
        ("0.1.0", "unknown", false),
    ] {
        manifest.agent = least.to_owned();
        assert_eq!(manifest.is_for(agent), is_for, "{least} {agent}");
    }
}
