// A Solana network of its own (surfpool, a real runtime): prints its URL and stays until standard input ends.
const { createRequire } = require("node:module");
const { Surfnet } = createRequire(__filename)("@solana/surfpool-linux-x64-gnu");

const net = Surfnet.startWithConfig({ offline: true, blockProductionMode: "transaction" });
console.log(JSON.stringify({ url: net.rpcUrl }));
process.stdin.on("end", () => {
  net.stop();
  process.exit(0);
});
process.stdin.resume();
