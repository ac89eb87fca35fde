//! Fills `/in` before a run and empties `/out` after it.

use super::{FileSystem, Kind, NodeId, Tree, node::Directory};
use crate::{
    batch::{InputFile, OutputFile},
    error::RunError,
    wasi::Errno,
};

impl FileSystem {
    /// Places a file under `/in`, with the directories above it.
    pub(crate) fn add_input(&mut self, file: InputFile, stamp_ns: u64) -> Result<(), RunError> {
        let InputFile { name, bytes } = file;
        match self.place_input(&name, bytes, stamp_ns) {
            Ok(()) => Ok(()),
            Err(problem) => Err(RunError::InputFile { name, problem }),
        }
    }

    fn place_input(&mut self, name: &str, bytes: Vec<u8>, stamp_ns: u64) -> Result<(), &'static str> {
        let mut here = self.root(Tree::Input);
        let mut parts = name.split('/').peekable();
        let mut content = Some(bytes);
        while let Some(part) = parts.next() {
            if matches!(part, "" | "." | "..") || part.contains('\0') {
                return Err("has an empty part, `.`, `..` or a zero byte in its name; use a relative path");
            }
            let known = self.directory(here).map_err(|_| "stands below another file")?.get(part);
            here = match (known, parts.peek().is_some()) {
                (Some(next), true) => next,
                (Some(_), false) => return Err("has the name of another file or directory"),
                (None, more) => {
                    let kind = match content.take_if(|_| !more) {
                        Some(bytes) => Kind::File(bytes),
                        None => Kind::Directory(Directory::default()),
                    };
                    self.insert(Tree::Input, here, part, kind, stamp_ns).map_err(input_problem)?
                }
            };
        }
        Ok(())
    }

    /// Makes an empty directory.
    pub(crate) fn create_directory(
        &mut self,
        parent: NodeId,
        name: &str,
        stamp_ns: u64,
    ) -> Result<(), Errno> {
        self.create(parent, name, Kind::Directory(Directory::default()), stamp_ns)?;
        Ok(())
    }

    /// Takes all files out of `/out`, sorted by path.
    pub(crate) fn take_output(&mut self) -> Vec<OutputFile> {
        let mut found = Vec::new();
        let mut open = vec![(String::new(), self.root(Tree::Output))];
        while let Some((path, id)) = open.pop() {
            let Ok(directory) = self.directory(id) else { continue };
            for (name, child) in directory.sorted() {
                let path = if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") };
                match self.node(child).map(|node| &node.kind) {
                    Ok(Kind::Directory(_)) => open.push((path, child)),
                    Ok(Kind::File(_)) => found.push((path, child)),
                    Err(_) => {}
                }
            }
        }
        found.sort_unstable_by(|left, right| left.0.cmp(&right.0));
        found.into_iter().map(|(name, id)| OutputFile { name, bytes: self.take_file(id) }).collect()
    }

    fn take_file(&mut self, id: NodeId) -> Vec<u8> {
        self.file_mut(id).map(std::mem::take).unwrap_or_default()
    }
}

const fn input_problem(errno: Errno) -> &'static str {
    match errno {
        Errno::NAMETOOLONG => "has a path longer than 255 bytes",
        Errno::NOSPC => "is one file or directory more than a run can have",
        _ => "cannot be placed",
    }
}
