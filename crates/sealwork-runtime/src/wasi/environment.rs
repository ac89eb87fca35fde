//! Arguments, environment, clocks, random numbers and the end of the program.

use super::{Answer, Errno, Fail, Guest, guest::offset};
use crate::{batch::Exit, clock::Clock, process::Process};
use std::time::Instant;

const CLOCK_REALTIME: u32 = 0;
/// Monotonic, process time, thread time: one thread and virtual time make them the same.
const CLOCKS_SINCE_START: std::ops::RangeInclusive<u32> = 1..=3;
/// Random bytes made between two looks at the deadline.
const RANDOM_CHUNK_BYTES: usize = 1 << 20;

impl Process {
    pub(super) fn args_get(&mut self, guest: &mut Guest<'_>, list: u32, text: u32) -> Answer {
        put_strings(guest, &self.args, list, text)
    }

    pub(super) fn args_sizes_get(&mut self, guest: &mut Guest<'_>, count: u32, bytes: u32) -> Answer {
        put_sizes(guest, &self.args, count, bytes)
    }

    pub(super) fn environ_get(&mut self, guest: &mut Guest<'_>, list: u32, text: u32) -> Answer {
        put_strings(guest, &self.environment, list, text)
    }

    pub(super) fn environ_sizes_get(&mut self, guest: &mut Guest<'_>, count: u32, bytes: u32) -> Answer {
        put_sizes(guest, &self.environment, count, bytes)
    }

    pub(super) fn clock_res_get(&mut self, guest: &mut Guest<'_>, id: u32, resolution: u32) -> Answer {
        check_clock(id)?;
        Ok(guest.put_u64(resolution, Clock::resolution_ns())?)
    }

    pub(super) fn clock_time_get(
        &mut self,
        guest: &mut Guest<'_>,
        id: u32,
        _precision: u64,
        time: u32,
    ) -> Answer {
        check_clock(id)?;
        let now = if id == CLOCK_REALTIME { self.clock.realtime_ns() } else { self.clock.monotonic_ns() };
        Ok(guest.put_u64(time, now)?)
    }

    pub(super) fn random_get(&mut self, guest: &mut Guest<'_>, address: u32, len: u32) -> Answer {
        let bytes = guest.bytes_mut(address, len)?;
        self.owe_for(len);
        for chunk in bytes.chunks_mut(RANDOM_CHUNK_BYTES) {
            self.random.fill(chunk);
            if Instant::now() >= self.deadline {
                return Err(Fail::End(Exit::TimeLimit));
            }
        }
        Ok(())
    }

    pub(super) fn proc_raise(&mut self, _guest: &mut Guest<'_>, signal: u32) -> Answer {
        Err(Fail::End(Exit::Trap(format!("the program raised signal {signal}"))))
    }

    pub(super) fn sched_yield(&mut self, _guest: &mut Guest<'_>) -> Answer {
        Ok(())
    }
}

/// Fails with `INVAL` for a clock that does not exist.
pub(super) fn check_clock(id: u32) -> Result<(), Errno> {
    if id == CLOCK_REALTIME || CLOCKS_SINCE_START.contains(&id) { Ok(()) } else { Err(Errno::INVAL) }
}

fn put_sizes(guest: &mut Guest<'_>, strings: &[Vec<u8>], count: u32, bytes: u32) -> Answer {
    let total: usize = strings.iter().map(Vec::len).sum();
    guest.put_u32(count, u32::try_from(strings.len()).map_err(|_| Errno::OVERFLOW)?)?;
    Ok(guest.put_u32(bytes, u32::try_from(total).map_err(|_| Errno::OVERFLOW)?)?)
}

fn put_strings(guest: &mut Guest<'_>, strings: &[Vec<u8>], mut list: u32, mut text: u32) -> Answer {
    for string in strings {
        let len = u32::try_from(string.len()).map_err(|_| Errno::OVERFLOW)?;
        guest.put_u32(list, text)?;
        guest.put(text, string)?;
        list = offset(list, 4)?;
        text = offset(text, len)?;
    }
    Ok(())
}
