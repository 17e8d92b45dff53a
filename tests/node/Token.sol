// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";

contract Token is ERC20("Test Token", "TEST"), ERC20Permit("Test Token") {
    constructor() {
        _mint(msg.sender, 1_000_000 ether);
    }
}
