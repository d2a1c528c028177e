#!/usr/bin/env bash
# jco transpile makes one import of two versions of an interface.
#
# Package: @bytecodealliance/jco 1.35.0 (npm registry).
# A guess from memory: a component that imports x:y/log@0.1.0 and x:y/log@0.2.0 needs both, as it does in wasmtime, where
# they are two. Seen: the JavaScript asks for 'x:y/log', once, and both of the component's imports call the same function;
# objects given under the names with a version are not looked at. With one --map for each version they are two again.
# Why it matters: two versions of an interface may differ in what they mean where they agree in type, and a test of a
# component in JavaScript says nothing of the host's older one.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund @bytecodealliance/jco@1.35.0 >/dev/null

cat >stated <<'END'
imports by default: 'x:y/log'
0.1.0 answers 1, 0.2.0 answers 2, without a version 7: the component saw 7 and 7
imports with --map for each: './one.js' './two.js'
END

cat >component.wat <<'END'
(component
  (import "x:y/log@0.1.0" (instance $a (export "which" (func (result u32)))))
  (import "x:y/log@0.2.0" (instance $b (export "which" (func (result u32)))))
  (core func $a (canon lower (func $a "which")))
  (core func $b (canon lower (func $b "which")))
  (core module $m
    (import "log" "a" (func $a (result i32)))
    (import "log" "b" (func $b (result i32)))
    (func (export "go") (result i32) (i32.add (i32.mul (call $a) (i32.const 10)) (call $b))))
  (core instance $i (instantiate $m (with "log" (instance (export "a" (func $a)) (export "b" (func $b))))))
  (func (export "go") (result u32) (canon lift (core func $i "go"))))
END
jco=node_modules/.bin/jco
"$jco" parse component.wat -o component.wasm
imports() { grep -o "^import .* from '.*'" "$1/component.js" | grep -o "'.*'" | xargs -d '\n' echo; }

"$jco" transpile component.wasm --quiet -o plain
echo "imports by default: $(imports plain)" | tee -a seen

"$jco" transpile component.wasm --quiet --instantiation async -o asked
echo '{"type": "module"}' >asked/package.json
cat >asked/run.js <<'END'
import { instantiate } from './component.js';
import { readFile } from 'node:fs/promises';
const compile = async (name) => WebAssembly.compile(await readFile(new URL(name, import.meta.url)));
const which = (number) => ({ which: () => number });
const component = await instantiate(compile, { 'x:y/log@0.1.0': which(1), 'x:y/log@0.2.0': which(2), 'x:y/log': which(7) });
const [a, b] = String(component.go());
console.log(`0.1.0 answers 1, 0.2.0 answers 2, without a version 7: the component saw ${a} and ${b}`);
END
node asked/run.js | tee -a seen

"$jco" transpile component.wasm --quiet -o mapped --map 'x:y/log@0.1.0=./one.js' --map 'x:y/log@0.2.0=./two.js'
echo "imports with --map for each: $(imports mapped)" | tee -a seen
diff -u --label stated --label seen stated seen && echo "as stated"
