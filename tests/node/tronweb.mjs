// TronWeb as a second implementation. Reads a list of jobs from stdin, prints the list of what came of them.
// It builds without a node: every transaction comes with its reference block.
import { readFileSync } from "node:fs";
import { TronWeb, utils } from "tronweb";

const tronWeb = new TronWeb({ fullHost: "http://127.0.0.1:1" });
const builder = tronWeb.transactionBuilder;
const trx = tronWeb.trx;

const contracts = {
  TransferContract: (from, a, o) => builder.sendTrx(a.to, a.amount, from, o),
  TransferAssetContract: (from, a, o) => builder.sendToken(a.to, a.amount, a.token, from, o),
  AccountCreateContract: (from, a, o) => builder.createAccount(a.to, from, o),
  VoteWitnessContract: (from, a, o) => builder.vote(a.votes, from, o),
  WithdrawBalanceContract: (from, a, o) => builder.withdrawBlockRewards(from, o),
  FreezeBalanceV2Contract: (from, a, o) => builder.freezeBalanceV2(a.amount, a.resource, from, o),
  UnfreezeBalanceV2Contract: (from, a, o) => builder.unfreezeBalanceV2(a.amount, a.resource, from, o),
  WithdrawExpireUnfreezeContract: (from, a, o) => builder.withdrawExpireUnfreeze(from, o),
  DelegateResourceContract: (from, a, o) =>
    builder.delegateResource(a.amount, a.to, a.resource, from, a.lock, a.lockPeriod, o),
  UnDelegateResourceContract: (from, a, o) => builder.undelegateResource(a.amount, a.to, a.resource, from, o),
  CancelAllUnfreezeV2Contract: (from, a, o) => builder.cancelUnfreezeBalanceV2(from, o),
  AccountPermissionUpdateContract: (from, a, o) =>
    builder.updateAccountPermissions(from, a.owner, a.witness, a.actives, o),
  TriggerSmartContract: async (from, a, o) =>
    (await builder.triggerSmartContract(a.contract, a.function, { ...o, ...a.options, txLocal: true }, a.parameters, from))
      .transaction,
};

const jobs = {
  async build({ contract, from, arguments: given, block, permission, memo }) {
    const built = await contracts[contract](from, given, { blockHeader: block, permissionId: permission });
    return memo ? builder.addUpdateData(built, memo, "hex", { txLocal: true }) : built;
  },
  async sign({ transaction, key, multisig }) {
    const signed = await tronWeb.trx.sign(transaction, key, true, multisig);
    const whole = utils.transaction.txJsonToPb(signed);
    for (const signature of signed.signature) whole.addSignature(Buffer.from(signature, "hex"));
    return { transaction: signed, protobuf: Buffer.from(whole.serializeBinary()).toString("hex") };
  },
  recover: ({ transaction }) => trx.ecRecover(transaction),
  address: ({ key }) => TronWeb.address.fromPrivateKey(key),
  fromMnemonic: ({ words, path }) => TronWeb.fromMnemonic(words, path),
  isAddress: ({ address }) => TronWeb.isAddress(address),
  signMessage: ({ message, key }) => trx.signMessageV2(bytes(message), key),
  verifyMessage: ({ message, signature }) => trx.verifyMessageV2(bytes(message), signature),
  signTypedData: ({ domain, types, message, key }) => trx._signTypedData(domain, types, message, key),
  verifyTypedData: ({ domain, types, message, signature, address }) =>
    trx.verifyTypedData(domain, types, message, signature, address),
};

const bytes = (hex) => Uint8Array.from(Buffer.from(hex, "hex"));

const answers = [];
for (const { job, ...question } of JSON.parse(readFileSync(0, "utf8"))) {
  // TronWeb throws where a transaction or signature is none at all.
  try {
    answers.push({ ok: await jobs[job](question) });
  } catch (error) {
    answers.push({ refused: String(error.message ?? error) });
  }
}
console.log(JSON.stringify(answers));
