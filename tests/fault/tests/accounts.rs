//! Homes that their owners have laid out as traps, and what the log must never hold. The agent itself runs, in a sandbox:
//! its users are not this machine's.

use bulkhead_conformance::place::Place;
use bulkhead_conformance::sandbox;
use bulkhead_fault::House;
use bulkhead_sys::{Errno, Fake, KeysError};
use bulkhead_test_support::{Client, agent_under_test};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Root, and Alice with a home of her own.
const USERS: &str = "umask 022; echo root:x:0:0::/var/roothome:/bin/sh > /etc/passwd;
    echo alice:x:1000:1000::/home/alice:/bin/sh >> /etc/passwd; echo 'passwd: files' > /etc/nsswitch.conf;
    mkdir -p /home/alice; busybox chown 1000:1000 /home/alice; mkdir /var;
    busybox mkdir -m 700 /var/roothome /var/roothome/.ssh;
    printf 'root key' > /var/roothome/.ssh/authorized_keys;
    echo 'root:$6$hash:1::::::' > /etc/shadow; chmod 600 /etc/shadow";

const FILE: &str = "/home/alice/.ssh/authorized_keys";

/// A sandbox with these users, prepared by a line of shell; nothing where there can be none.
fn place(file_systems: bool, prepare: &str) -> Option<Place> {
    if let Some(why) = sandbox::unavailable() {
        println!("skipped: {why}");
        return None;
    }
    let place = Place::sandboxed(&agent_under_test(), file_systems).expect("the sandbox can be made");
    for line in [USERS, prepare] {
        assert_eq!(place.run(line).unwrap(), [""; 0], "{line}");
    }
    Some(place)
}

fn ssh(client: &mut Client, what: &str, user: &str, keys: Option<Value>) -> Value {
    let mut arguments = json!({ "username": user });
    if let Some(keys) = keys {
        arguments["keys"] = keys;
    }
    client.call(&format!("guest-ssh-{what}-authorized-keys"), arguments).value
}

/// Each trap is laid, and then all three commands are tried on it. Whatever they answer, the agent goes on, tells nothing
/// that Alice could not read, and changes nothing that she could not.
#[test]
fn a_home_full_of_traps_catches_nobody() {
    let Some(mut place) = place(false, "true") else { return };
    let mut client = place.start(&[]).expect("the agent starts");
    let (link, access) = ("Too many levels of symbolic links", "Permission denied");
    for (trap, answer) in [
        ("ln -s /etc alice", link),
        ("ln -s /var/roothome alice", link),
        ("home; ln -s /var/roothome/.ssh alice/.ssh", access),
        ("home; mkdir alice/.ssh; ln -s /etc/shadow alice/.ssh/authorized_keys", access),
        ("home; mkdir alice/.ssh; ln -s /proc/self/environ alice/.ssh/authorized_keys", access),
        ("home; mkdir alice/.ssh; ln -s /proc/self/fd/1 alice/.ssh/authorized_keys", link),
        ("home; mkdir alice/.ssh; ln -s /proc/self/root/etc/shadow alice/.ssh/authorized_keys", link),
        ("home; mkdir alice/.ssh; ln -s authorized_keys alice/.ssh/authorized_keys", link),
        ("home; mkdir alice/.ssh; ln -s /dev/zero alice/.ssh/authorized_keys", "Invalid argument"),
        ("home; mkdir alice/.ssh; ln -s . alice/.ssh/authorized_keys", "Is a directory"),
        ("home; mkdir alice/.ssh; ln /etc/shadow alice/.ssh/authorized_keys", access),
        ("busybox ln -s /var/roothome alice", access),
        ("busybox mkdir -m 700 alice", access),
        ("home; busybox mkdir -m 700 alice/.ssh", access),
        ("home; mkdir alice/.ssh; busybox mkfifo -m 666 alice/.ssh/authorized_keys", "Invalid argument"),
        ("home; mkdir alice/.ssh; busybox mknod -m 666 alice/.ssh/authorized_keys c 1 5", "Invalid argument"),
        ("home; mkdir -p alice/.ssh/authorized_keys", "Is a directory"),
        ("home; mkdir alice/.ssh; zeros 10485760 > alice/.ssh/authorized_keys", "File too large"),
        ("home; mkdir alice/.ssh; zeros 524289 > alice/.ssh/authorized_keys", "File too large"),
    ] {
        // What `mkdir` and `ln -s` make is Alice's; what they make as busybox's is root's.
        let tools = "own() { busybox chown -h 1000:1000 \"$@\"; }; home() { mkdir alice; }
            mkdir() { busybox mkdir \"$@\"; own alice alice/.ssh; }; zeros() { busybox head -c $1 /dev/zero; }
            ln() { busybox ln \"$@\"; [ $1 != -s ] || own $3; }";
        place.run(&format!("umask 022; rm -rf /home/alice; cd /home; {tools}; {trap}")).unwrap();
        let begin = Instant::now();
        for (what, keys) in [("get", None), ("add", Some(json!(["k"]))), ("remove", Some(json!(["k"])))] {
            let reply = ssh(&mut client, what, "alice", keys).to_string();
            assert!(reply.contains(answer) && reply.contains("GenericError"), "{trap}: {what}: {reply}");
            assert!(!reply.contains("hash") && !reply.contains("root key"), "{trap}: {what}: {reply}");
        }
        assert!(begin.elapsed() < Duration::from_secs(5), "{trap}: nobody waits in it");
    }
    let whole = "cd /var/roothome; cat .ssh/authorized_keys /etc/shadow; ls -A . .ssh; stat -c %a /etc/shadow";
    let said = place.run(whole).unwrap();
    assert_eq!(said, ["root keyroot:$6$hash:1::::::", ".:", ".ssh", "", ".ssh:", "authorized_keys", "600"]);
    assert_eq!(ssh(&mut client, "get", "root", None), json!({"return": {"keys": ["root key"]}}), "it is root still");
}

/// A file system that is frozen takes no writes until somebody thaws it.
#[test]
fn a_home_that_hangs_costs_ten_seconds_once() {
    let home = "sed -i s,/home/alice,/a/alice, /etc/passwd; mkdir /a/alice; chown 1000 /a/alice; fsfreeze --freeze /a";
    let home = format!("sed() {{ busybox sed \"$@\"; }}; chown() {{ busybox chown \"$@\"; }}; {home}");
    let Some(mut place) = place(true, &home) else { return };
    let mut client = place.start(&[]).expect("the agent starts");
    client.patience = Duration::from_secs(30);
    let mut timed = |user: &str| {
        let begin = Instant::now();
        let reply = ssh(&mut client, "add", user, Some(json!(["k"])));
        (reply.to_string(), begin.elapsed())
    };
    let answers = [timed("alice"), timed("alice"), timed("root")].map(|(reply, time)| (reply, time.as_secs_f64()));
    // Before anything is judged: a process that waits for a frozen disk cannot be killed either.
    place.run("fsfreeze --unfreeze /a").unwrap();
    let [first, second, root] = answers;
    for answer in [&first, &second] {
        assert!(answer.0.contains("the home folder of user 'alice' does not answer"), "{answer:?}");
    }
    assert!(first.1 > 9.0 && first.1 < 20.0, "{first:?}");
    assert!(second.1 < 5.0, "it is not asked again: {second:?}");
    assert!(root.0.contains("return") && root.1 < 5.0, "others are not held up: {root:?}");
    let patience = Instant::now() + Duration::from_secs(10);
    while ssh(&mut client, "add", "alice", Some(json!(["k"]))) != json!({"return": {}}) {
        assert!(Instant::now() < patience, "it answers again");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Whatever becomes of a request, `-v` or not.
#[test]
fn passwords_and_keys_are_in_no_log() {
    let program = "printf '#!/bin/sh\\ncat\\nexit $(cat /fake/status)\\n' > /bin/chpasswd; chmod 755 /bin/chpasswd";
    let Some(mut place) = place(false, &format!("echo 0 > /fake/status; {program}")) else { return };
    let log: Vec<String> = ["-v", "-l", "/scratch/log"].map(str::to_owned).to_vec();
    let mut client = place.start(&log).expect("the agent starts");
    let secret = "correct-horse-battery-staple";
    let base64 = "Y29ycmVjdC1ob3JzZS1iYXR0ZXJ5LXN0YXBsZQ==";
    let set = |password: &str| json!({ "username": "alice", "password": password, "crypted": false });

    assert_eq!(client.call("guest-set-user-password", set(base64)).value, json!({"return": {}}));
    place.run("echo 1 > /fake/status").unwrap();
    let told = client.call("guest-set-user-password", set(base64));
    assert!(told.desc().contains(secret), "the client is told what the program printed: {}", told.text);
    for program in ["printf '#!/bin/sh\\ncat; kill -9 $$\\n' >", "printf '#!/nonexistent\\n' >", "rm"] {
        place.run(&format!("{program} /bin/chpasswd")).unwrap();
        client.call("guest-set-user-password", set(base64)).desc();
    }
    client.call("guest-set-user-password", set(secret)).desc();
    client
        .call("guest-set-user-password", json!({ "username": secret, "password": [base64], "crypted": false }))
        .desc();
    client.call("guest-set-user-password", json!({ "username": "a", "password": "", "crypted": 0, secret: 1 })).desc();

    assert_eq!(ssh(&mut client, "add", "alice", Some(json!([secret]))), json!({"return": {}}));
    assert_eq!(ssh(&mut client, "get", "alice", None), json!({"return": {"keys": [secret]}}));
    for keys in [json!([format!("#{secret}")]), json!([secret, 1]), json!({ secret: 1 }), json!(secret)] {
        assert!(ssh(&mut client, "remove", "alice", Some(keys))["error"].is_object());
    }
    place.run(&format!("rm {FILE}; mkdir {FILE}")).unwrap();
    assert!(ssh(&mut client, "add", "alice", Some(json!([secret])))["error"].is_object());
    // So many that the module runs out of memory in the middle of them.
    let mut flood = vec![Value::from(""); 650_000];
    flood[0] = secret.into();
    let reply = ssh(&mut client, "add", "alice", Some(Value::from(flood)));
    assert_eq!(reply["error"]["desc"], "The command guest-ssh-add-authorized-keys failed in module 'account'");
    client.send(format!(r#"{{"execute":"guest-set-user-password","arguments":{{"password":{secret}}}}}"#).as_bytes());
    client.reply().desc();

    let log = place.run("cat /scratch/log").unwrap();
    assert!(log.len() > 15, "{log:?}");
    let telling: Vec<_> = log.iter().filter(|line| line.contains(secret) || line.contains(&base64[..12])).collect();
    assert!(telling.is_empty(), "{telling:#?}");
}

/// The longest files that the host reads fit the module's memory, whatever is in them.
#[test]
fn the_longest_files_are_listed_and_changed() {
    for text in [b"a\n".repeat(256 * 1024), vec![0xFF; 512 * 1024], vec![b'\n'; 512 * 1024]] {
        let system = Fake::default();
        system.add_user("alice", Ok(Some(text.clone())));
        let mut house = House::new(&system);
        let get = r#"{"execute":"guest-ssh-get-authorized-keys","arguments":{"username":"alice"}}"#;
        let listed = house.ask(get).expect("it is answered");
        let keys = listed["return"]["keys"].as_array().unwrap_or_else(|| panic!("{listed:.100}"));
        assert_eq!(keys.len(), if text[0] == b'a' { 256 * 1024 } else { usize::from(text[0] == 0xFF) });
        let change = |what: &str, key: &str| {
            format!(
                r#"{{"execute":"guest-ssh-{what}-authorized-keys","arguments":{{"username":"alice","keys":["{key}"]}}}}"#
            )
        };
        assert_eq!(house.ask(&change("remove", "b")), Some(json!({"return": {}})));
        let longer = house.ask(&change("add", "key")).expect("it is answered");
        assert_eq!(longer["error"]["desc"], "the keys of user 'alice' would be too long");
        assert_eq!(system.keys("alice"), Some(text));
    }
}

/// What cannot be read is not taken for empty: adding a key to it would lose those it has.
#[test]
fn keys_that_cannot_be_read_are_not_replaced() {
    let system = Fake::default();
    let broken = KeysError::NoFile(b"/home/alice/.ssh/authorized_keys".to_vec(), Errno::EIO);
    system.add_user("alice", Err(broken));
    let mut house = House::new(&system);
    let add = r#"{"execute":"guest-ssh-add-authorized-keys","arguments":{"username":"alice","keys":["k"]}}"#;
    let reply = house.ask(add).expect("it is answered");
    let desc = reply["error"]["desc"].as_str().expect("an error");
    assert!(desc.starts_with("failed to read '/home/alice/.ssh/authorized_keys'"), "{desc}");
    assert_eq!(system.events(), [""; 0]);
}
