// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Attestations } from "../src/Attestations.sol";
import { Batches } from "../src/Batches.sol";
import { Book } from "../src/Book.sol";
import { Channels } from "../src/Channels.sol";
import { Market } from "../src/Market.sol";
import { Registry } from "../src/Registry.sol";
import { Artifacts } from "./Artifacts.sol";
import { LibRLP } from "solady/utils/LibRLP.sol";

/// @notice Who deploys for whom.
/// @param deployer Account that creates all contracts.
/// @param nonce Its transaction count before the first.
/// @param token The ERC-20 that the Market holds; zero creates a DevToken.
/// @param governor Sets the fee, the modules and the CAS members, and revokes.
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
    Market market;
    Attestations attestations;
    Batches batches;
    Channels channels;
    Book book;
}

/// @title Creates all contracts of a deployment
/// @dev Contracts name each other in their constructors, so their addresses are computed first. Order: DevToken (only
/// without a given token), Registry, Market, Attestations, Batches, Channels, Book, with nothing in between. The Rust crate
/// sealwork-types plans the same order in `artifacts.rs`.
library Deployment {
    error WrongAddress(address expected, address found);

    function create(DeploymentRequest memory request) internal returns (Deployed memory made) {
        uint256 nonce = request.nonce;
        made.token = request.token;
        if (made.token == address(0)) {
            made.token = Artifacts.create("DevToken", "");
            ++nonce;
        }
        address market = LibRLP.computeAddress(request.deployer, nonce + 1);
        address attestations = LibRLP.computeAddress(request.deployer, nonce + 2);
        address batches = LibRLP.computeAddress(request.deployer, nonce + 3);
        address channels = LibRLP.computeAddress(request.deployer, nonce + 4);
        made.registry = Registry(Artifacts.create("Registry", ""));
        bytes memory arguments = abi.encode(
            made.token,
            made.registry,
            attestations,
            batches,
            channels,
            request.governor,
            request.feeRecipient,
            request.feeBps
        );
        made.market = Market(Artifacts.create("Market", arguments));
        arguments = abi.encode(market, request.governor, request.members, request.threshold);
        made.attestations = Attestations(Artifacts.create("Attestations", arguments));
        made.batches = Batches(Artifacts.create("Batches", abi.encode(market, attestations)));
        made.channels = Channels(Artifacts.create("Channels", abi.encode(market)));
        made.book = Book(Artifacts.create("Book", abi.encode(market, made.registry)));
        _expect(market, address(made.market));
        _expect(attestations, address(made.attestations));
        _expect(batches, address(made.batches));
        _expect(channels, address(made.channels));
    }

    function _expect(address expected, address found) private pure {
        if (expected != found) revert WrongAddress(expected, found);
    }
}
