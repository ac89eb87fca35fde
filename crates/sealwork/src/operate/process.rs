//! What the system says about this process, under the names that Prometheus clients agreed on.

use std::fmt::{self, Write as _};

/// Ticks of a second in `/proc`, the same on every Linux that this runs on.
const TICKS: f64 = 100.0;

/// Adds memory, open files and processor time. What cannot be read is left out.
pub(super) fn write(text: &mut String) -> fmt::Result {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let memory = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB"));
    if let Some(kib) = memory.and_then(|kib| kib.trim().parse::<u64>().ok()) {
        let bytes = kib.saturating_mul(1024);
        series(text, "process_resident_memory_bytes", "gauge", "Memory in use.", bytes)?;
    }
    if let Ok(files) = std::fs::read_dir("/proc/self/fd") {
        series(text, "process_open_fds", "gauge", "Open file descriptors.", files.count())?;
    }
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let most = limits.lines().find_map(|line| line.strip_prefix("Max open files")?.split_whitespace().next());
    if let Some(most) = most.and_then(|most| most.parse::<u64>().ok()) {
        series(text, "process_max_fds", "gauge", "Most file descriptors.", most)?;
    }
    match processor_ticks() {
        Some(ticks) => {
            let seconds = f64::from(ticks) / TICKS;
            series(text, "process_cpu_seconds_total", "counter", "Processor time used.", seconds)
        }
        None => Ok(()),
    }
}

/// User and system time of this process. The program's name, which may hold spaces, ends with the last parenthesis.
fn processor_ticks() -> Option<u32> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |field: usize| fields.get(field)?.parse::<u32>().ok();
    ticks(11)?.checked_add(ticks(12)?)
}

fn series(text: &mut String, name: &str, kind: &str, help: &str, value: impl fmt::Display) -> fmt::Result {
    writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}")
}

#[cfg(test)]
mod tests {
    #[test]
    fn this_process_has_memory_files_and_time() {
        let mut text = String::new();
        super::write(&mut text).unwrap();
        for name in ["process_resident_memory_bytes", "process_open_fds", "process_max_fds"] {
            let line = text.lines().find(|line| line.starts_with(&format!("{name} "))).unwrap();
            assert!(line.split_once(' ').unwrap().1.parse::<u64>().unwrap() > 0, "{line}");
        }
        assert!(text.contains("\nprocess_cpu_seconds_total "));
    }
}
