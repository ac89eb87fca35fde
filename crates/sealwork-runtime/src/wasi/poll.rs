//! Waiting. Nothing here waits in real time: streams and files are always ready, and sleeping moves the virtual clock.

use super::{Answer, Errno, Guest, environment::check_clock, guest::offset};
use crate::process::Process;

const SUBSCRIPTION_BYTES: u32 = 48;
const EVENT_BYTES: u32 = 32;
/// Most subscriptions in one call: all descriptors, and some timers.
const SUBSCRIPTIONS_MAX: u32 = 4_096;

const TYPE_CLOCK: u8 = 0;
const TYPE_FD_READ: u8 = 1;
const TYPE_FD_WRITE: u8 = 2;
const CLOCK_ABSOLUTE: u16 = 1;

/// One thing that a program waits for.
#[derive(Clone, Copy)]
struct Subscription {
    user_data: u64,
    kind: u8,
    wait: Wait,
}

#[derive(Clone, Copy)]
enum Wait {
    /// Until this many nanoseconds from now have passed.
    Clock(u64),
    /// Nothing: the descriptor exists, or the error says why not.
    Ready(Result<(), Errno>),
}

impl Process {
    pub(super) fn poll_oneoff(
        &mut self,
        guest: &mut Guest<'_>,
        subscriptions: u32,
        events: u32,
        count: u32,
        ready: u32,
    ) -> Answer {
        if count == 0 || count > SUBSCRIPTIONS_MAX {
            return Err(Errno::INVAL.into());
        }
        guest.bytes(ready, 4)?;
        guest.bytes(events, count.checked_mul(EVENT_BYTES).ok_or(Errno::FAULT)?)?;
        let mut waits = Vec::new();
        for index in 0..count {
            let by = index.checked_mul(SUBSCRIPTION_BYTES).ok_or(Errno::FAULT)?;
            waits.push(self.subscription(guest, offset(subscriptions, by)?)?);
        }
        self.owe_for(count.saturating_mul(SUBSCRIPTION_BYTES));
        let soonest = waits.iter().map(|subscription| subscription.wait.duration_ns()).min().unwrap_or(0);
        self.clock.sleep_ns(soonest);
        let mut written = 0_u32;
        for due in waits.iter().filter(|subscription| subscription.wait.duration_ns() == soonest) {
            put_event(guest, offset(events, written.saturating_mul(EVENT_BYTES))?, due)?;
            written = written.saturating_add(1);
        }
        Ok(guest.put_u32(ready, written)?)
    }

    fn subscription(&self, guest: &Guest<'_>, at: u32) -> Result<Subscription, Errno> {
        guest.bytes(at, SUBSCRIPTION_BYTES)?;
        let (user_data, kind) = (guest.u64(at)?, guest.u8(offset(at, 8)?)?);
        let wait = match kind {
            TYPE_CLOCK => {
                let id = guest.u32(offset(at, 16)?)?;
                check_clock(id)?;
                let timeout = guest.u64(offset(at, 24)?)?;
                let absolute = guest.u16(offset(at, 40)?)? & CLOCK_ABSOLUTE != 0;
                Wait::Clock(if absolute {
                    timeout.saturating_sub(self.clock.now_ns(id == 0))
                } else {
                    timeout
                })
            }
            TYPE_FD_READ | TYPE_FD_WRITE => {
                Wait::Ready(self.descriptors.get(guest.u32(offset(at, 16)?)?).map(|_| ()))
            }
            _ => return Err(Errno::INVAL),
        };
        Ok(Subscription { user_data, kind, wait })
    }
}

impl Wait {
    const fn duration_ns(self) -> u64 {
        match self {
            Self::Clock(duration) => duration,
            Self::Ready(_) => 0,
        }
    }
}

fn put_event(guest: &mut Guest<'_>, at: u32, due: &Subscription) -> Answer {
    let (errno, nbytes) = match due.wait {
        Wait::Clock(_) => (Errno::SUCCESS, 0),
        Wait::Ready(Ok(())) => (Errno::SUCCESS, 1),
        Wait::Ready(Err(errno)) => (errno, 0),
    };
    let errno = u16::try_from(errno.0).map_err(|_| Errno::OVERFLOW)?;
    guest.bytes_mut(at, EVENT_BYTES)?.fill(0);
    guest.put_u64(at, due.user_data)?;
    guest.put(offset(at, 8)?, &errno.to_le_bytes())?;
    guest.put(offset(at, 10)?, &[due.kind])?;
    Ok(guest.put_u64(offset(at, 16)?, nbytes)?)
}
