// @solana/web3.js as a second implementation. Reads a list of jobs from stdin, prints the list of what came of them.
const { readFileSync } = require("node:fs");
const { Keypair, PublicKey, VersionedMessage, VersionedTransaction } = require("@solana/web3.js");
const { getAssociatedTokenAddressSync } = require("@solana/spl-token");

const keypair = (hex) => Keypair.fromSeed(Buffer.from(hex, "hex"));

const jobs = {
  address: ({ key }) => keypair(key).publicKey.toBase58(),
  isOnCurve: ({ address }) => PublicKey.isOnCurve(new PublicKey(address).toBytes()),
  sign: ({ key, unsigned }) => {
    const transaction = VersionedTransaction.deserialize(Buffer.from(unsigned, "base64"));
    transaction.sign([keypair(key)]);
    return Buffer.from(transaction.serialize()).toString("base64");
  },
  message: ({ message }) => {
    const found = VersionedMessage.deserialize(Buffer.from(message, "base64"));
    return {
      version: found.version,
      keys: found.staticAccountKeys.map((key) => key.toBase58()),
      signers: found.header.numRequiredSignatures,
      blockhash: found.recentBlockhash,
      instructions: found.compiledInstructions.map((each) => ({
        program: each.programIdIndex,
        accounts: [...each.accountKeyIndexes],
        data: Buffer.from(each.data).toString("hex"),
      })),
    };
  },
  associated: ({ owner, mint, program }) =>
    getAssociatedTokenAddressSync(new PublicKey(mint), new PublicKey(owner), true, new PublicKey(program)).toBase58(),
};

const answers = JSON.parse(readFileSync(0, "utf8")).map(({ job, ...question }) => jobs[job](question));
console.log(JSON.stringify(answers));
