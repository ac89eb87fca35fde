//! SHA-256 and Merkle root of an input of any size, in constant memory.
//!
//! Usage: `hash-tree [--leaves]`, with the data on standard input. Prints the number of bytes, their SHA-256, the number
//! of leaves of 1 MiB and the root of their Merkle tree as RFC 6962 defines it. `--leaves` also writes the hash of each
//! leaf, one a line, to `/out/leaves.txt`.

mod tree;

use sealwork_guest as guest;
use sha2::{Digest, Sha256};
use std::{
    io::{Read, Write},
    process::ExitCode,
};
use tree::{Hash, Hasher};

fn main() -> ExitCode {
    guest::run(|| {
        let summary = match guest::args().iter().map(String::as_str).collect::<Vec<_>>()[..] {
            [] => summarize(guest::stdin(), |_| Ok(()))?,
            ["--leaves"] => {
                let mut file = guest::create_output("leaves.txt")?;
                let summary = summarize(guest::stdin(), |leaf| Ok(writeln!(file, "{}", hex(leaf))?))?;
                file.flush()?;
                summary
            }
            _ => return Err("the only option is --leaves; the data comes on standard input".into()),
        };
        print!("{summary}");
        Ok(())
    })
}

/// The answer as text. `on_leaf` gets the hash of each leaf in order.
fn summarize(source: impl Read, on_leaf: impl FnMut(&Hash) -> guest::Result) -> guest::Result<String> {
    let mut whole = Sha256::new();
    let mut tree = Hasher::new(on_leaf);
    let bytes = guest::for_each_chunk(source, |chunk| {
        whole.update(chunk);
        tree.update(chunk)
    })?;
    let (leaves, root) = tree.finish()?;
    let whole = hex(&whole.finalize().into());
    Ok(format!(
        "bytes {bytes}\nsha256 {whole}\nleaves {leaves} of {} bytes\nroot {}\n",
        tree::LEAF_BYTES,
        hex(&root)
    ))
}

fn hex(hash: &Hash) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summarizes_no_bytes() {
        let nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let expected = format!("bytes 0\nsha256 {nothing}\nleaves 0 of 1048576 bytes\nroot {nothing}\n");
        assert_eq!(summarize([].as_slice(), |_| Ok(())).unwrap(), expected);
    }

    #[test]
    fn hands_out_every_leaf() {
        let mut leaves = Vec::new();
        let data = vec![7; 2 * tree::LEAF_BYTES + 1];
        summarize(data.as_slice(), |leaf| {
            leaves.push(*leaf);
            Ok(())
        })
        .unwrap();
        assert_eq!(leaves.len(), 3);
        assert_eq!(leaves[0], leaves[1]);
        assert_ne!(leaves[0], leaves[2]);
    }
}
