//! `openssl speed`, the measure of what one core can do.

use super::program::Samples;
use anyhow::{Context, Result, bail};
use std::process::Command;

/// One second of an algorithm on one core with buffers of 64 KiB, MB/s (10^6 bytes).
pub(crate) fn speed(algorithm: &str) -> Result<Samples> {
    let words = ["speed", "-mr", "-seconds", "1", "-bytes", "65536", "-evp", algorithm];
    let output = Command::new("openssl")
        .args(words)
        .output()
        .context("start openssl, which is the peer of this benchmark; install the package openssl")?;
    if !output.status.success() {
        bail!("`openssl {}` failed with {}", words.join(" "), output.status);
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let bytes = bytes_per_second(&text).with_context(|| format!("read the answer of openssl: {text}"))?;
    Ok(Samples { name: format!("openssl {algorithm}"), unit: "MB/s".into(), values: vec![bytes / 1e6] })
}

/// The line `+F:25:ChaCha20-Poly1305:3788835617.39`.
fn bytes_per_second(text: &str) -> Option<f64> {
    text.lines().find_map(|line| line.strip_prefix("+F:"))?.rsplit(':').next()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::bytes_per_second;

    #[test]
    fn reads_machine_readable_answers() {
        assert_eq!(
            bytes_per_second("+H:65536\n+F:25:ChaCha20-Poly1305:3788835617.39\n"),
            Some(3_788_835_617.39)
        );
        assert_eq!(bytes_per_second("+H:65536\n"), None);
    }
}
