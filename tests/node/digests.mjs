// The EIP-712 digest of each document, by three libraries. Reads a list of documents, prints {sigUtil, viem, ethers}.
// ethers knows no type EIP712Domain: it is given the fields of the domain that the document's type names.
import { readFileSync } from "node:fs";
import { SignTypedDataVersion, TypedDataUtils } from "@metamask/eth-sig-util";
import { TypedDataEncoder } from "ethers";
import { hashTypedData } from "viem";

const hex = (bytes) => `0x${Buffer.from(bytes).toString("hex")}`;
const answers = JSON.parse(readFileSync(0, "utf8")).map((document) => {
  const { EIP712Domain, ...types } = document.types;
  const domain = Object.fromEntries(EIP712Domain.map(({ name }) => [name, document.domain[name]]));
  return {
    sigUtil: hex(TypedDataUtils.eip712Hash(document, SignTypedDataVersion.V4)),
    viem: hashTypedData(document),
    ethers: TypedDataEncoder.hash(domain, types, document.message),
  };
});
console.log(JSON.stringify(answers));
