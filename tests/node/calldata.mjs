// viem as the encoder of calldata. Reads [{signature, seed}], prints the calldata of each with random arguments.
import { readFileSync } from "node:fs";
import { encodeFunctionData, parseAbiItem } from "viem";

// mulberry32: the same arguments for the same seed.
function random(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (t ^ (t >>> 14)) >>> 0;
  };
}

function value(draw, { type, components }) {
  const array = /^(.*)\[(\d*)\]$/.exec(type);
  if (array) {
    const size = array[2] ? Number(array[2]) : draw() % 3;
    return Array.from({ length: size }, () => value(draw, { type: array[1], components }));
  }
  if (type === "tuple") return Object.fromEntries(components.map((each, at) => [each.name ?? at, value(draw, each)]));
  const bytes = (size) => "0x" + Array.from({ length: size }, () => (draw() & 255).toString(16).padStart(2, "0")).join("");
  if (type === "address") return bytes(20);
  if (type === "bool") return draw() % 2 === 0;
  if (type === "string") return "text".repeat(draw() % 20);
  if (type.startsWith("bytes")) return bytes(type === "bytes" ? draw() % 70 : Number(type.slice(5)));
  const bits = Number(/\d+$/.exec(type)[0]) - (type.startsWith("int") ? 1 : 0);
  const number = draw() % 4 === 0 ? 2n ** BigInt(bits) - 1n : BigInt(bytes(32)) % 2n ** BigInt(1 + (draw() % bits));
  return bits <= 48 ? Number(number) : number;
}

const answers = JSON.parse(readFileSync(0, "utf8")).map(({ signature, seed }) => {
  const item = parseAbiItem(`function ${signature}`);
  const draw = random(seed);
  return encodeFunctionData({ abi: [item], args: item.inputs.map((each) => value(draw, each)) });
});
console.log(JSON.stringify(answers));
