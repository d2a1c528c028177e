// Made by bulkhead-schema from schemas/*.json.

/// Every command, in qemu-ga's order.
pub static COMMANDS: &[Command] = &[
    Command { name: "guest-none", module: "sample", success_response: true, allowed_while_frozen: false, installed: None },
    Command { name: "guest-quiet", module: "sample", success_response: false, allowed_while_frozen: false, installed: None },
    Command { name: "guest-report", module: "sample", success_response: true, allowed_while_frozen: false, installed: None },
    Command { name: "guest-state", module: "sample", success_response: true, allowed_while_frozen: false, installed: None },
    Command { name: "guest-word", module: "sample", success_response: true, allowed_while_frozen: true, installed: None },
];
