#!/usr/bin/env bash
# wasmtime links a component to an *older* interface than it asks for, and to the newest that is there.
#
# Package: wasmtime 50.0.1 (Python registry).
# A guess from memory: a component that imports x:y/log@0.1.5 needs a host that has at least 0.1.5, as cargo and npm would
# have it. Seen: only the "semver track" is compared (0.1, or 1 from 1.0.0 on). 0.1.5 is satisfied by a host's 0.1.0, 1.5.0
# by 1.0.0; of several the newest is taken, whatever was asked for. 0.0.x and pre-releases must be equal.
# Why it matters: whoever adds a *meaning* to an interface in a patch version cannot tell by linking that the host is too
# old; only a function that is missing, or a type that differs, is noticed.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip --quiet --disable-pip-version-check install wasmtime==50.0.1

cat >stated <<'END'
wants 0.1.0, host has 0.1.0: linked to 0.1.0
wants 0.1.5, host has 0.1.0: linked to 0.1.0
wants 0.1.0, host has 0.1.2 0.1.5: linked to 0.1.5
wants 1.5.0, host has 1.0.0: linked to 1.0.0
wants 0.2.0, host has 0.1.0: refused
wants 0.0.2, host has 0.0.1: refused
wants 0.1.0-rc, host has 0.1.0: refused
END

venv/bin/python - <<'END' | tee -a seen
from wasmtime import Engine, Store, WasmtimeError
from wasmtime.component import Component, Linker

engine = Engine()


def component(version):
    return Component(engine, f"""(component
        (import "x:y/log@{version}" (instance $log (export "which" (func (result u32)))))
        (core func $which (canon lower (func $log "which")))
        (core module $m (import "log" "which" (func $which (result i32)))
            (func (export "go") (result i32) call $which))
        (core instance $i (instantiate $m (with "log" (instance (export "which" (func $which))))))
        (func (export "go") (result u32) (canon lift (core func $i "go"))))""")


def attempt(wants, has):
    store, linker = Store(engine), Linker(engine)
    with linker.root() as root:
        for number, version in enumerate(has):
            with root.add_instance(f"x:y/log@{version}") as instance:
                instance.add_func("which", lambda _store, number=number: number)
    try:
        instance = linker.instantiate(store, component(wants))
        return f"linked to {has[instance.get_func(store, 'go')(store)]}"
    except WasmtimeError as error:
        assert "a matching implementation was not found" in str(error), error
        return "refused"


for wants, has in [("0.1.0", ["0.1.0"]), ("0.1.5", ["0.1.0"]), ("0.1.0", ["0.1.2", "0.1.5"]), ("1.5.0", ["1.0.0"]),
                   ("0.2.0", ["0.1.0"]), ("0.0.2", ["0.0.1"]), ("0.1.0-rc", ["0.1.0"])]:
    print(f"wants {wants}, host has {' '.join(has)}: {attempt(wants, has)}")
END
diff -u --label stated --label seen stated seen && echo "as stated"
