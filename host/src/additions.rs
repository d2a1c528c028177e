//! Processors and memory that are added while the VM runs are taken into use, if the owner's policy says so.
//!
//! The kernel tells what is added; nobody looks again and again. Where the policy does not say so nothing is heard, and nothing
//! wakes the agent.

use bulkhead_broker::{SharedBroker, thawed};
use bulkhead_gate::{Added, TakenOnline};
use bulkhead_watch::{self as watch, AdditionWatch};
use std::convert::Infallible;
use std::future::pending;
use std::rc::Rc;
use tokio::sync::Notify;

/// What hears of additions.
#[derive(Debug)]
pub struct Additions {
    broker: SharedBroker,
    policy_read: Rc<Notify>,
    watch: Option<AdditionWatch>,
}

impl Additions {
    /// For the policy that is in force in `broker`.
    pub fn new(broker: SharedBroker) -> Self {
        Additions { broker, policy_read: Rc::default(), watch: None }
    }

    /// What is told when the policy was read again.
    pub fn policy_read(&self) -> Rc<Notify> {
        Rc::clone(&self.policy_read)
    }

    /// Does it for ever. Needs tokio's context.
    pub async fn run(mut self) -> Infallible {
        loop {
            let added = match self.heed_policy() {
                // What was added while nobody listened.
                true => Added::Unknown,
                false => tokio::select! {
                    () = self.policy_read.notified() => continue,
                    added = next(&self.watch) => added,
                },
            };
            if self.broker.borrow().is_frozen() {
                thawed(&self.broker).await;
            }
            for TakenOnline { what, outcome } in self.broker.borrow().gate.take_online(added) {
                match outcome {
                    Ok(()) => tracing::info!("{what} is taken into use"),
                    Err(errno) => tracing::warn!("{what} cannot be taken into use: {errno}"),
                }
            }
            // Much may be added at once, and clients wait.
            tokio::task::yield_now().await;
        }
    }

    /// Begins or ends to listen, as the policy says. Whether it has just begun.
    fn heed_policy(&mut self) -> bool {
        let is_wanted = self.broker.borrow().gate.policy().takes_online();
        if !is_wanted {
            self.watch = None;
            return false;
        }
        if self.watch.is_some() {
            return false;
        }
        match AdditionWatch::new() {
            Ok(watch) => self.watch = Some(watch),
            Err(error) => {
                tracing::error!("what is added to the machine is not heard of: {error}");
                return false;
            }
        }
        true
    }
}

async fn next(watch: &Option<AdditionWatch>) -> Added {
    let Some(watch) = watch else { return pending().await };
    match watch.next().await {
        Ok(watch::Added::Processor(id)) => Added::Processor(id),
        Ok(watch::Added::MemoryBlock(index)) => Added::MemoryBlock(index),
        Ok(watch::Added::Unknown) => Added::Unknown,
        Err(error) => {
            tracing::error!("what is added to the machine is not heard of any more: {error}");
            pending().await
        }
    }
}
