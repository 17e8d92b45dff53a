// Compiles Token.sol; prints {"bytecode": "0x…"}.
import { readFileSync } from "node:fs";
import solc from "solc";

const here = (path) => new URL(path, import.meta.url);
const input = {
  language: "Solidity",
  sources: { "Token.sol": { content: readFileSync(here("Token.sol"), "utf8") } },
  settings: {
    evmVersion: "prague",
    optimizer: { enabled: true },
    outputSelection: { "*": { "*": ["evm.bytecode.object"] } },
  },
};
const load = (path) => ({ contents: readFileSync(here(`node_modules/${path}`), "utf8") });
const output = JSON.parse(solc.compile(JSON.stringify(input), { import: load }));
const errors = (output.errors ?? []).filter((each) => each.severity === "error");
if (errors.length > 0) throw new Error(errors.map((each) => each.formattedMessage).join("\n"));
console.log(JSON.stringify({ bytecode: `0x${output.contracts["Token.sol"].Token.evm.bytecode.object}` }));
