//! How far tasks are, for whoever waits for them: steps and times, kept in memory for the newest tasks.

use sealwork_types::{
    TaskId,
    progress::{StepTime, TaskProgress, TaskStep},
};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};
use tracing::debug;

/// Tasks remembered; the oldest are forgotten first.
const MAX_TASKS: usize = 4_096;

#[derive(Debug, Default)]
struct Board {
    tasks: BTreeMap<TaskId, TaskProgress>,
    order: VecDeque<TaskId>,
}

/// Progress of the newest tasks.
#[derive(Debug, Default)]
pub struct ProgressBoard(Mutex<Board>);

impl ProgressBoard {
    /// Notes that a task reached a step, at a time in milliseconds since 1970. A step that is reached again keeps its newest time.
    pub(crate) fn reach(&self, task: TaskId, step: TaskStep, at_ms: u64) {
        self.change(task, |progress| {
            progress.steps.retain(|reached| reached.step < step);
            let took_ms = progress.steps.last().map(|before| at_ms.saturating_sub(before.at_ms));
            debug!(%task, ?step, took_ms, at_ms, "task.reached");
            progress.steps.push(StepTime { step, at_ms });
        });
    }

    /// Notes that a task was given up.
    pub(crate) fn abandon(&self, task: TaskId, reason: &str) {
        self.change(task, |progress| progress.abandoned = Some(reason.to_owned()));
    }

    /// Progress of a task, if it is remembered.
    pub fn of(&self, task: TaskId) -> Option<TaskProgress> {
        self.lock().tasks.get(&task).cloned()
    }

    fn change(&self, task: TaskId, change: impl FnOnce(&mut TaskProgress)) {
        let mut board = self.lock();
        if !board.tasks.contains_key(&task) {
            board.order.push_back(task);
            if board.order.len() > MAX_TASKS
                && let Some(oldest) = board.order.pop_front()
            {
                board.tasks.remove(&oldest);
            }
        }
        let fresh = || TaskProgress { task, steps: Vec::new(), abandoned: None };
        change(board.tasks.entry(task).or_insert_with(fresh));
    }

    fn lock(&self) -> MutexGuard<'_, Board> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sealwork_types::B256;

    #[test]
    fn steps_are_kept_in_order_and_an_attempt_starts_over() {
        let (board, task) = (ProgressBoard::default(), TaskId::new(B256::ZERO));
        for step in [TaskStep::Assigned, TaskStep::Attested, TaskStep::Running, TaskStep::Assigned] {
            board.reach(task, step, 5);
        }
        let steps: Vec<_> = board.of(task).unwrap().steps.iter().map(|reached| reached.step).collect();
        assert_eq!(steps, [TaskStep::Assigned]);
    }

    #[test]
    fn old_tasks_are_forgotten() {
        let board = ProgressBoard::default();
        for number in 0..=MAX_TASKS as u64 {
            board.reach(TaskId::new(sealwork_types::U256::from(number).into()), TaskStep::Assigned, 5);
        }
        assert!(board.of(TaskId::new(B256::ZERO)).is_none());
        assert!(board.of(TaskId::new(sealwork_types::U256::from(1).into())).is_some());
    }
}
