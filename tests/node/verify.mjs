// viem as a second implementation. Reads a list of jobs from stdin, prints the list of what came of them.
// A message is a string, or {"raw": "0x…"} for bytes.
import { readFileSync } from "node:fs";
import { verifyMessage, verifyTypedData } from "viem";
import { privateKeyToAccount } from "viem/accounts";

const jobs = {
  address: ({ key }) => privateKeyToAccount(key).address,
  signMessage: ({ key, message }) => privateKeyToAccount(key).signMessage({ message }),
  signTypedData: ({ key, typedData }) => privateKeyToAccount(key).signTypedData(typedData),
  verifyMessage: ({ address, message, signature }) => refusal(() => verifyMessage({ address, message, signature })),
  verifyTypedData: ({ address, typedData, signature }) =>
    refusal(() => verifyTypedData({ ...typedData, address, signature })),
};

// viem throws where a signature is none at all.
async function refusal(verify) {
  try {
    return await verify();
  } catch {
    return false;
  }
}

const answers = [];
for (const { job, ...question } of JSON.parse(readFileSync(0, "utf8"))) answers.push(await jobs[job](question));
console.log(JSON.stringify(answers));
