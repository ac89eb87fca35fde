// Drives npm age-encryption for tests/npm_interop.rs.
//
// node interop.mjs keygen DIR   writes DIR/npm.identity
// node interop.mjs run DIR      for each DIR/*.identity: writes NAME.recipient;
//                               for each DIR/NAME.SIZE.sealed: opens it into NAME.SIZE.opened;
//                               for each DIR/SIZE.plain: seals it into NAME.SIZE.npm-sealed
import * as age from "age-encryption";
import { readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

const [command, directory] = process.argv.slice(2);
const path = (name) => join(directory, name);

if (command === "keygen") {
  await writeFile(path("npm.identity"), await age.generateHybridIdentity());
} else if (command === "run") {
  const names = await readdir(directory);
  const sizes = names.filter((name) => name.endsWith(".plain")).map((name) => name.replace(".plain", ""));
  for (const key of names.filter((name) => name.endsWith(".identity")).map((name) => name.replace(".identity", ""))) {
    const identity = await readFile(path(`${key}.identity`), "utf8");
    const recipient = await age.identityToRecipient(identity);
    await writeFile(path(`${key}.recipient`), recipient);
    for (const size of sizes) {
      const decrypter = new age.Decrypter();
      decrypter.addIdentity(identity);
      await writeFile(path(`${key}.${size}.opened`), await decrypter.decrypt(await readFile(path(`${key}.${size}.sealed`))));
      const encrypter = new age.Encrypter();
      encrypter.addRecipient(recipient);
      await writeFile(path(`${key}.${size}.npm-sealed`), await encrypter.encrypt(await readFile(path(`${size}.plain`))));
    }
  }
} else {
  throw new Error(`unknown command ${command}, expected keygen or run`);
}
