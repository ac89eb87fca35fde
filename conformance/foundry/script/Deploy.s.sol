// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Probe } from "../src/Probe.sol";

interface Vm {
    function startBroadcast() external;
    function stopBroadcast() external;
}

/// @title Deploys two probes and uses them, as a deployment script would; another salt gives other addresses
contract Deploy {
    // forge-lint: disable-next-line(mixed-case-variable)
    bool public constant IS_SCRIPT = true;

    Vm private constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    function run(uint256 salt) external returns (Probe first, Probe second) {
        vm.startBroadcast();
        first = new Probe{ value: 1 ether }(7);
        second = new Probe{ salt: bytes32(salt) }(8);
        first.set(70);
        first.fill(0, 5);
        (bool sent,) = address(first).call{ value: 0.5 ether }("");
        require(sent, "the first probe takes money");
        vm.stopBroadcast();
    }
}
