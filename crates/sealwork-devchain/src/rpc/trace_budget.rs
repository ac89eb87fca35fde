//! A bound on what a trace remembers.

use super::{Reply, error::limit};
use alloy_primitives::map::HashSet;
use alloy_rpc_types_trace::{
    geth::{GethDebugTracingOptions, GethDefaultTracingOptions},
    parity::TraceType,
};
use revm::{
    Inspector,
    interpreter::{
        CallInputs, CallOutcome, CreateInputs, CreateOutcome, Interpreter, InterpreterTypes,
        interpreter_types::{MemoryTr as _, StackTr as _},
    },
};

/// Bytes that one trace may remember, by our estimate; its JSON is limited to less.
const LIMIT: usize = 160 << 20;
/// Bytes for one step, apart from stack and memory.
const STEP: usize = 256;
/// Bytes for one call, apart from its input and output.
const CALL: usize = 1_024;
/// A tracer that remembers every step with stack and memory.
const VERBOSE: &str = "erc7562Tracer";
/// Bytes of a word on the stack.
const WORD: usize = 32;

/// Stands beside a tracer and ends the execution once the tracer remembers too much.
#[derive(Clone, Debug)]
pub(super) struct TraceBudget {
    left: usize,
    /// Steps that will still be remembered.
    steps: u64,
    stack: bool,
    memory: bool,
}

impl TraceBudget {
    /// For a tracer that remembers calls only.
    pub(super) fn calls() -> Self {
        Self { left: LIMIT, steps: 0, stack: false, memory: false }
    }

    /// For the tracer of `trace_replay…`.
    pub(super) fn for_parity(kinds: &HashSet<TraceType>) -> Self {
        let steps = if kinds.contains(&TraceType::VmTrace) { u64::MAX } else { 0 };
        Self { left: LIMIT, steps, stack: false, memory: false }
    }

    pub(super) fn new(options: &GethDebugTracingOptions) -> Self {
        match &options.tracer {
            None => {
                let GethDefaultTracingOptions { disable_stack, enable_memory, limit, .. } = options.config;
                Self {
                    left: LIMIT,
                    steps: limit.filter(|limit| *limit > 0).unwrap_or(u64::MAX),
                    stack: !disable_stack.unwrap_or_default(),
                    memory: enable_memory.unwrap_or_default(),
                }
            }
            Some(tracer) if tracer.as_str() == VERBOSE => {
                Self { left: LIMIT, steps: u64::MAX, stack: true, memory: true }
            }
            Some(_) => Self::calls(),
        }
    }

    /// Fails when the budget was used up: the trace is not the execution's.
    pub(super) fn check(&self) -> Reply<()> {
        if self.left == 0 {
            Err(limit(format!("the trace would take more than {} MiB", LIMIT >> 20)))
        } else {
            Ok(())
        }
    }

    fn spend(&mut self, bytes: usize) {
        self.left = self.left.saturating_sub(bytes);
    }
}

impl<CTX, T: InterpreterTypes> Inspector<CTX, T> for TraceBudget {
    fn step(&mut self, interpreter: &mut Interpreter<T>, _context: &mut CTX) {
        if self.steps > 0 {
            self.steps -= 1;
            let stack = if self.stack { interpreter.stack.len().saturating_mul(WORD) } else { 0 };
            let memory = if self.memory { interpreter.memory.size() } else { 0 };
            self.spend(STEP.saturating_add(stack).saturating_add(memory));
        }
        if self.left == 0 {
            interpreter.halt_oog();
        }
    }

    fn call(&mut self, _context: &mut CTX, inputs: &mut CallInputs) -> Option<CallOutcome> {
        self.spend(CALL.saturating_add(inputs.input.len()));
        None
    }

    fn call_end(&mut self, _context: &mut CTX, _inputs: &CallInputs, outcome: &mut CallOutcome) {
        self.spend(outcome.output().len());
    }

    fn create(&mut self, _context: &mut CTX, inputs: &mut CreateInputs) -> Option<CreateOutcome> {
        self.spend(CALL.saturating_add(inputs.init_code().len()));
        None
    }

    fn create_end(&mut self, _context: &mut CTX, _inputs: &CreateInputs, outcome: &mut CreateOutcome) {
        self.spend(outcome.output().len());
    }

    fn log(&mut self, _context: &mut CTX, log: alloy_primitives::Log) {
        self.spend(STEP.saturating_add(log.data.data.len()));
    }
}
