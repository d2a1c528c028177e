//! A sample of each proposal that is switched off. All of them are harmless: what is tested is that they are refused.

use super::*;

/// By what it is called, a core module or the inside of a component that uses it and is valid where it is switched on.
const SAMPLES: &[(&str, &str)] = &[
    ("exceptions of the older kind", "(core module (func try catch_all end))"),
    ("exceptions", "(core module (tag $t) (func (throw $t)))"),
    ("stack switching", "(core module (type $f (func)) (type $c (cont $f)) (func (param (ref null $c))))"),
    ("custom descriptors", "(core module (rec (type $a (descriptor $b) (struct)) (type $b (describes $a) (struct))))"),
    (
        "garbage-collected values between components",
        "(core type $f (func)) (core module $m (type $f (func)) (func (export \"f\") (type $f))) (core instance $m (instantiate $m)) (func (canon lift (core func $m \"f\") gc))",
    ),
    ("garbage collection", "(core module (type $s (struct (field i32))) (func (drop (struct.new_default $s))))"),
    (
        "typed function references",
        "(core module (type $f (func)) (func (param (ref null $f)) (call_ref $f (local.get 0))))",
    ),
    ("garbage-collected references", "(core module (table 1 externref))"),
    ("threads that share everything", "(core module (global (shared i32) (i32.const 0)))"),
    ("threads of components", "(core func (canon thread.index))"),
    ("threads", "(core module (memory 1 1 shared))"),
    ("tail calls", "(core module (func $f (return_call $f)))"),
    ("components with 64-bit memories", "(core func (canon context.get i64 0))"),
    ("64-bit memories", "(core module (memory i64 1))"),
    ("more than one memory in a core module", "(core module (memory 1) (memory 1))"),
    ("control of memory pages", "(core module (memory 1) (func (memory.discard (i32.const 0) (i32.const 0))))"),
    ("pages of another size than 64 KiB", "(core module (memory 1 (pagesize 1)))"),
    ("relaxed SIMD", "(core module (func (param v128) (drop (i8x16.relaxed_swizzle (local.get 0) (local.get 0)))))"),
    (
        "wide arithmetic",
        "(core module (func (param i64 i64) (result i64 i64) (i64.mul_wide_s (local.get 0) (local.get 1))))",
    ),
    ("compact imports", "(core module (import \"a\" (item \"b\" (func)) (item \"c\" (func))))"),
    (
        "asynchronous functions with a stack of their own",
        "(core module $m (func (export \"f\"))) (core instance $m (instantiate $m)) (func async (canon lift (core func $m \"f\") async))",
    ),
    ("more asynchronous built-in functions", "(core func (canon subtask.cancel async))"),
    ("error contexts", "(import \"f\" (func (param \"e\" error-context)))"),
    ("asynchronous components", "(import \"f\" (func (param \"s\" (stream u8))))"),
    ("values as imports and exports of components", "(import \"v\" (value $v string)) (export \"w\" (value $v))"),
    ("nested names of packages", "(import \"a:b/c/d\" (instance))"),
    ("lists of a fixed length", "(import \"f\" (func (param \"l\" (list u8 4))))"),
    ("maps", "(import \"f\" (func (param \"m\" (map string u8))))"),
    ("imports that name what they implement", "(import \"x\" (implements \"a:b/c\") (instance))"),
    ("names with a suffix for the version", "(import \"a:b/c@1\" (versionsuffix \".2.3\") (instance))"),
];

fn component(inside: &str) -> Vec<u8> {
    wat::parse_str(format!("(component {inside})")).unwrap_or_else(|error| panic!("{inside}: {error}"))
}

#[test]
fn there_is_a_sample_of_each_proposal_that_is_refused() {
    let samples: Vec<_> = SAMPLES.iter().map(|(called, _)| *called).collect();
    let refused: Vec<_> = REFUSED.iter().map(|(_, called)| *called).collect();
    assert_eq!(samples, refused);
}

#[test]
fn each_is_refused_by_its_name_in_one_sentence() {
    for (called, inside) in SAMPLES {
        let said = check(&component(inside)).expect_err(called).to_string();
        assert!(
            said.starts_with("it uses WebAssembly that this agent does not run: ") && said.contains(called),
            "{said}"
        );
        assert!(!said.contains('\n'), "{said}");
    }
}

#[test]
fn the_engine_refuses_the_same_whatever_is_on_by_default_in_it() {
    let engine = crate::engine(crate::Form::X86_64).unwrap();
    for (called, inside) in SAMPLES {
        let compiled = crate::fault::caught(|| engine.precompile_component(&component(inside)));
        let said = format!("{:#}", compiled.expect_err(called));
        assert!(!said.contains("please report it"), "{called}: {said}");
    }
}

#[test]
fn what_toolchains_emit_is_good() {
    let engine = crate::engine(crate::Form::X86_64).unwrap();
    for inside in [
        "(core module (global (export \"g\") (mut i32) (i32.const 0)))",
        "(core module (func (param i32) (result i32) (i32.extend8_s (local.get 0))))",
        "(core module (func (param f64) (result i32) (i32.trunc_sat_f64_s (local.get 0))))",
        "(core module (func (result i32 i32) (i32.const 1) (i32.const 2)))",
        "(core module (memory 1) (data \"x\") (func (memory.init 0 (i32.const 0) (i32.const 0) (i32.const 1)) (data.drop 0)))",
        "(core module (memory 1) (func (memory.fill (i32.const 0) (i32.const 0) (i32.const 1))))",
        "(core module (table 1 funcref) (table 1 funcref) (func (call_indirect 1 (i32.const 0))))",
        "(core module (table 1 funcref) (func (table.set (i32.const 0) (ref.null func))))",
        "(core module (global i32 (i32.add (i32.const 1) (i32.const 2))))",
        "(core module (func (param v128) (result v128) (i8x16.neg (local.get 0))))",
    ] {
        check(&component(inside)).unwrap_or_else(|error| panic!("{inside}: {error}"));
        engine.precompile_component(&component(inside)).unwrap_or_else(|error| panic!("{inside}: {error:#}"));
    }
}

#[test]
fn what_nobody_could_run_is_told_apart() {
    let wrong = component("(core module (func (result i32) (i32.const 0)))");
    // Its result, of another type than its body leaves.
    let at = wrong.windows(3).position(|bytes| bytes == [0x60, 0, 1]).unwrap() + 3;
    let wrong = [&wrong[..at], &[0x7e], &wrong[at + 1..]].concat();
    assert!(check(&wrong).unwrap_err().to_string().starts_with("it is not a valid component: type mismatch"));
}
