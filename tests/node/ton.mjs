// A TON blockchain in memory whose virtual machine is that of the node (@ton/sandbox), and @ton/ton as a second client.
// Reads a question a line from stdin, answers a line each: {"ok": …} or {"error": "…"}.
import { createInterface } from "node:readline";
import { Address, Cell, beginCell, comment, contractAddress, external, internal, storeMessage, toNano } from "@ton/core";
import { mnemonicNew, mnemonicToPrivateKey, mnemonicValidate } from "@ton/crypto";
import { Blockchain } from "@ton/sandbox";
import { WalletContractV3R2, WalletContractV4, WalletContractV5R1 } from "@ton/ton";

const chain = await Blockchain.create();
chain.now = Math.floor(Date.now() / 1000);
chain.verbosity = { ...chain.verbosity, print: false, vmLogs: "none" };
const bank = await chain.treasury("bank", { balance: toNano("1000000") });
const cell = (text) => Cell.fromBase64(text);
const hex = (buffer) => buffer.toString("hex");

// What each transaction did: who, with which exit codes, whether anything was sent, and from what message.
function told(transaction) {
  const { description: about, inMessage, outMessages } = transaction;
  const compute = about.computePhase?.type === "vm" ? about.computePhase.exitCode : null;
  return {
    account: `${inMessage.info.dest.toRawString()}`,
    external: inMessage.info.type === "external-in",
    aborted: about.aborted,
    compute,
    action: about.actionPhase?.resultCode ?? null,
    sent: outMessages.values().map((out) => ({
      to: out.info.dest?.toRawString(), value: out.info.value?.coins.toString(), bounced: out.info.bounced,
      body: hex(out.body.hash()),
    })),
  };
}

// All transactions so far, as an index of the chain tells them (toncenter v3); whatever makes some closes a block.
const ledger = [];
let height = 1;
const text = (value) => (value === undefined || value === null ? null : value.toString());
const upper = (address) => (address ? address.toRawString().toUpperCase() : null);
const hashOf = (cell) => cell.hash().toString("base64");
const peek = (body) => (body.bits.length >= 32 ? "0x" + body.beginParse().loadUint(32).toString(16).padStart(8, "0") : null);

function noted(result) {
  if (result.transactions.length) height++;
  ledger.push(...result.transactions.map(row));
  return result;
}

// The same message is written down alike on both sides; one from outside keeps the hash of what was sent.
function message(each, raw) {
  const { info, body } = each;
  const outside = info.type === "external-in";
  const whole = raw ?? beginCell().store(storeMessage(each)).endCell();
  const norm = beginCell().storeUint(2, 2).storeUint(0, 2).storeAddress(info.dest ?? null).storeUint(0, 4).storeBit(0).storeBit(1).storeRef(body);
  return {
    hash: hashOf(whole), hash_norm: outside ? hashOf(norm.endCell()) : undefined,
    source: outside ? null : upper(info.src), destination: info.type === "external-out" ? null : upper(info.dest),
    value: text(info.value?.coins), fwd_fee: text(info.forwardFee), bounce: info.bounce ?? null, bounced: info.bounced ?? null,
    opcode: peek(body), created_lt: text(info.createdLt), message_content: { hash: hashOf(body), body: body.toBoc().toString("base64") },
  };
}

function row(each) {
  const about = each.description, { computePhase: compute, actionPhase: action, bouncePhase: bounce } = about;
  const raw = each.raw.refs[0].refs[0], from = each.inMessage;
  return {
    account: upper(from.info.dest), hash: each.hash().toString("base64"), lt: text(each.lt), now: each.now, mc_block_seqno: height,
    total_fees: text(each.totalFees.coins), orig_status: each.oldStatus, end_status: each.endStatus,
    description: {
      type: "ord", aborted: about.aborted, destroyed: about.destroyed,
      compute_ph: compute.type === "vm" ? { skipped: false, success: compute.success, exit_code: compute.exitCode } : { skipped: true, reason: compute.reason },
      action: action ? {
        success: action.success, valid: action.valid, no_funds: action.noFunds, result_code: action.resultCode,
        tot_actions: action.totalActions, skipped_actions: action.skippedActions, msgs_created: action.messagesCreated,
      } : undefined,
      bounce: bounce ? { type: bounce.type } : undefined,
    },
    in_msg: message(from, from.info.type === "external-in" ? raw : undefined),
    out_msgs: each.outMessages.values().map((out) => message(out)),
  };
}

// What a row says of a transfer of jettons, where its body is one.
function transfer({ in_msg }) {
  if (in_msg.opcode !== "0x0f8a7ea5") return null;
  const body = cell(in_msg.message_content.body).beginParse().skip(32);
  const query = body.loadUintBig(64), amount = body.loadCoins(), destination = body.loadAddress();
  return { query_id: text(query), amount: text(amount), destination: upper(destination) };
}

async function deploy(code, data) {
  const init = { code, data };
  const address = contractAddress(0, init);
  noted(await bank.send({ to: address, value: toNano("1"), bounce: false, init }));
  return address;
}

const wallets = {
  v3r2: (publicKey) => WalletContractV3R2.create({ workchain: 0, publicKey }),
  v4r2: (publicKey) => WalletContractV4.create({ workchain: 0, publicKey }),
  v5r1: (publicKey, testnet) =>
    WalletContractV5R1.create({ publicKey, walletId: { networkGlobalId: testnet ? -3 : -239 } }),
};

const answers = {
  now: ({ at }) => void ((chain.now = Math.max(at, chain.now)), height++), // never back
  head: () => ({ height, now: chain.now }),
  ledger: ({ since }) => ledger.slice(since).map((each) => ({ ...each, transfer: transfer(each) })),
  fund: async ({ address, amount, bounce }) => {
    noted(await bank.send({ to: Address.parse(address), value: BigInt(amount), bounce: bounce ?? false }));
  },
  address_cell: async ({ method, address, argument }) => {
    const { stackReader } = await chain.runGetMethod(Address.parse(address), method, [{ type: "slice", cell: cell(argument) }]);
    return stackReader.readCell().toBoc().toString("base64");
  },
  balance: async ({ address }) => (await chain.getContract(Address.parse(address))).balance.toString(),
  state: async ({ address }) => (await chain.getContract(Address.parse(address))).accountState?.type ?? "none",
  // The message as it is, bit for bit; a contract that does not accept it makes no transaction.
  send: async ({ boc }) => noted(await chain.sendMessage(cell(boc))).transactions.map(told),
  seqno: async ({ address }) => {
    const { stackReader } = await chain.runGetMethod(Address.parse(address), "seqno");
    return stackReader.readNumber();
  },
  jetton: async ({ master, wallet, owner, amount }) => {
    const content = beginCell().storeUint(height, 32).endCell(); // so that each has an address of its own
    const data = beginCell().storeCoins(0).storeAddress(bank.address).storeRef(content).storeRef(cell(wallet)).endCell();
    const minter = await deploy(cell(master), data);
    const transfer = beginCell().storeUint(0x178d4519, 32).storeUint(0, 64).storeCoins(BigInt(amount)).storeAddress(null)
      .storeAddress(bank.address).storeCoins(0).storeBit(0).endCell();
    const body = beginCell().storeUint(21, 32).storeUint(0, 64).storeAddress(Address.parse(owner)).storeCoins(toNano("0.2"))
      .storeRef(transfer).endCell();
    noted(await bank.send({ to: minter, value: toNano("1"), body }));
    return minter.toRawString();
  },
  jettonWallet: async ({ master, owner }) => {
    const slice = beginCell().storeAddress(Address.parse(owner)).endCell();
    const { stackReader } = await chain.runGetMethod(Address.parse(master), "get_wallet_address", [{ type: "slice", cell: slice }]);
    return stackReader.readAddress().toRawString();
  },
  jettonBalance: async ({ wallet }) => {
    const { stackReader } = await chain.runGetMethod(Address.parse(wallet), "get_wallet_data");
    return stackReader.readBigNumber().toString();
  },
  nft: async ({ code, owner }) => {
    const data = beginCell().storeUint(7, 64).storeAddress(bank.address).storeAddress(Address.parse(owner)).storeRef(new Cell()).endCell();
    return (await deploy(cell(code), data)).toRawString();
  },
  nftOwner: async ({ item }) => {
    const { stackReader } = await chain.runGetMethod(Address.parse(item), "get_nft_data");
    stackReader.skip(3);
    return stackReader.readAddress().toRawString();
  },
  mnemonic: async ({ words, password }) => {
    const list = words.split(" ");
    const valid = await mnemonicValidate(list, password || undefined);
    const key = await mnemonicToPrivateKey(list, password || undefined);
    return { valid, publicKey: hex(key.publicKey), secret: hex(key.secretKey.subarray(0, 32)) };
  },
  newMnemonic: async ({ password }) => (await mnemonicNew(24, password || undefined)).join(" "),
  // A bag read and written by @ton/core, and the hash of its root.
  cell: ({ boc }) => ({ hash: hex(cell(boc).hash()), depth: cell(boc).depth(), boc: cell(boc).toBoc({ idx: false, crc32: true }).toString("base64"),
    others: [[false, false], [false, true], [true, false], [true, true]].map(([idx, crc32]) => cell(boc).toBoc({ idx, crc32 }).toString("base64")) }),
  address: ({ publicKey, contract, testnet }) => wallets[contract](Buffer.from(publicKey, "hex"), testnet).address.toRawString(),
  forms: ({ raw }) => {
    const address = Address.parse(raw);
    const form = (bounceable, testOnly) => address.toString({ bounceable, testOnly });
    return { bounceable: form(true, false), non_bounceable: form(false, false), bounceable_testnet: form(true, true), non_bounceable_testnet: form(false, true) };
  },
  // A transfer by @ton/ton: the whole external message, with the state where seqno is 0.
  transfer: async ({ secret, publicKey, contract, testnet, seqno, validUntil, mode, messages }) => {
    const wallet = wallets[contract](Buffer.from(publicKey, "hex"), testnet);
    const secretKey = Buffer.from(secret + publicKey, "hex");
    const list = messages.map(({ address, amount, bounce, comment: text, payload }) =>
      internal({ to: Address.parse(address), value: BigInt(amount), bounce, body: text !== undefined ? comment(text) : payload ? cell(payload) : undefined }));
    const body = wallet.createTransfer({ seqno, secretKey, messages: list, sendMode: mode, timeout: validUntil });
    const message = external({ to: wallet.address, init: seqno === 0 ? wallet.init : undefined, body });
    const whole = beginCell().store(storeMessage(message)).endCell();
    return { hash: hex(whole.hash()), boc: whole.toBoc().toString("base64"), body: hex(body.hash()) };
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { do: what, ...question } = JSON.parse(line);
  let answer;
  try {
    answer = { ok: (await answers[what](question)) ?? null };
  } catch (error) {
    answer = { error: String(error.message ?? error).slice(0, 500) };
  }
  process.stdout.write(JSON.stringify(answer) + "\n");
}
