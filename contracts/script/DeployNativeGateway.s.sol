// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { NativeGateway } from "../src/NativeGateway.sol";
import { vm } from "../test/utils/Vm.sol";
import { Artifacts } from "./Artifacts.sol";

/// @title Adds a gateway for the chain's own coin to a deployment
/// @notice Environment: SEALWORK_MARKET, a Market whose token is an ERC-20 wrapper of the coin (like WETH). Whoever sends
/// coins to the gateway finds them in its account in the Market.
contract DeployNativeGateway {
    // forge-lint: disable-next-line(mixed-case-variable)
    bool public constant IS_SCRIPT = true;

    function run() external returns (NativeGateway gateway) {
        address market = vm.envAddress("SEALWORK_MARKET");
        vm.startBroadcast();
        gateway = NativeGateway(payable(Artifacts.create("NativeGateway", abi.encode(market))));
        vm.stopBroadcast();
    }
}
