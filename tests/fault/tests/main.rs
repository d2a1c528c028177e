//! One file per theme: what misbehaves is a module, or the system, or what lies on it.

mod accounts;
mod clocks;
mod freezing;
mod frozen_vendor;
mod hotplug;
mod network;
mod paths;
mod processes;
mod programs;
mod sleep;
mod storage;
mod unasked;
mod villains;
