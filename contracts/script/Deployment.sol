// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Attestations } from "../src/Attestations.sol";
import { DevToken } from "../src/DevToken.sol";
import { Escrow } from "../src/Escrow.sol";
import { Market } from "../src/Market.sol";
import { Registry } from "../src/Registry.sol";
import { Tasks } from "../src/Tasks.sol";
import { LibRLP } from "solady/utils/LibRLP.sol";

/// @notice Who deploys for whom.
/// @param deployer Account that creates all contracts.
/// @param nonce Its transaction count before the first.
/// @param token The ERC-20 that escrow holds; zero creates a DevToken.
/// @param governor Sets the fee and the CAS members, and revokes.
/// @param feeRecipient Gets the protocol fee.
/// @param feeBps Protocol fee in hundredths of a percent.
/// @param members CAS members, ascending.
/// @param threshold Signatures that a grant needs.
struct DeploymentRequest {
    address deployer;
    uint256 nonce;
    address token;
    address governor;
    address feeRecipient;
    uint16 feeBps;
    address[] members;
    uint8 threshold;
}

/// @notice What was created.
struct Deployed {
    address token;
    Registry registry;
    Escrow escrow;
    Market market;
    Tasks tasks;
    Attestations attestations;
}

/// @title Creates all contracts of a deployment
/// @dev Contracts name each other in their constructors, so their addresses are computed first. Order: DevToken (only
/// without a given token), Registry, Escrow, Market, Tasks, Attestations, with nothing in between. The Rust crate
/// sealwork-types plans the same order in `artifacts.rs`.
library Deployment {
    error WrongAddress(address expected, address found);

    function create(DeploymentRequest memory request) internal returns (Deployed memory made) {
        uint256 nonce = request.nonce;
        made.token = request.token;
        if (made.token == address(0)) {
            made.token = address(new DevToken());
            ++nonce;
        }
        address escrow = LibRLP.computeAddress(request.deployer, nonce + 1);
        address market = LibRLP.computeAddress(request.deployer, nonce + 2);
        address tasks = LibRLP.computeAddress(request.deployer, nonce + 3);
        address attestations = LibRLP.computeAddress(request.deployer, nonce + 4);
        made.registry = new Registry();
        made.escrow = new Escrow(made.token, market, tasks);
        made.market = new Market(address(made.registry), escrow, tasks, request.governor, request.feeBps);
        made.tasks = new Tasks(market, escrow, attestations, address(made.registry), request.feeRecipient);
        made.attestations = new Attestations(market, request.governor, request.members, request.threshold);
        _expect(escrow, address(made.escrow));
        _expect(market, address(made.market));
        _expect(tasks, address(made.tasks));
        _expect(attestations, address(made.attestations));
    }

    function _expect(address expected, address found) private pure {
        if (expected != found) revert WrongAddress(expected, found);
    }
}
