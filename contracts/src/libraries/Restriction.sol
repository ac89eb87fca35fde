// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import { IGroup } from "../interfaces/IGroup.sol";
import { Membership } from "../types/Orders.sol";
import { MerkleProofLib } from "solady/utils/MerkleProofLib.sol";

/// @title Whether an order's restriction admits a party
/// @dev A restriction is zero (anybody), an id, a group contract in the low 20 bytes with zeros above, or the Merkle root
/// of an allow-list.
library Restriction {
    bytes32 private constant POLICY_LABEL = keccak256("sealwork/v1/policy-restriction");

    /// @notice Whether `given` may take part.
    /// @param restriction From the order.
    /// @param given Id of the app, dataset or pool, or the requester's address as bytes32.
    /// @param memberships Proofs for the allow-lists; the first with this root and member decides.
    function admits(bytes32 restriction, bytes32 given, Membership[] calldata memberships)
        internal
        view
        returns (bool)
    {
        if (restriction == bytes32(0) || restriction == given) return true;
        uint256 word = uint256(restriction);
        // casting to 'uint160' is safe because the bits above are zero
        // forge-lint: disable-next-line(unsafe-typecast)
        if (word >> 160 == 0) return _isGroupMember(address(uint160(word)), given);
        for (uint256 i = 0; i < memberships.length; ++i) {
            Membership calldata membership = memberships[i];
            if (membership.root == restriction && membership.member == given) {
                return MerkleProofLib.verifyCalldata(membership.path, restriction, leaf(given));
            }
        }
        return false;
    }

    /// @notice Leaf of an allow-list. Hashed twice, so that no inner node passes for a leaf.
    /// @param member Id of the app, dataset or pool, or the requester's address as bytes32.
    function leaf(bytes32 member) internal pure returns (bytes32) {
        return keccak256(abi.encode(keccak256(abi.encode(member))));
    }

    /// @notice A policy as it stands in a restriction of apps. Hashed with a label: an app's owner chooses the policy hash,
    /// and could choose one that equals another restriction.
    /// @param policyHash SHA-256 of the policy document.
    function policy(bytes32 policyHash) internal pure returns (bytes32) {
        return keccak256(abi.encode(POLICY_LABEL, policyHash));
    }

    /// @notice An address as it stands in a restriction.
    /// @param account The address.
    function key(address account) internal pure returns (bytes32) {
        return bytes32(uint256(uint160(account)));
    }

    function _isGroupMember(address group, bytes32 given) private view returns (bool) {
        if (group.code.length == 0) return false;
        // A group that reverts or answers something else admits nobody; a typed call would revert in another way each time.
        // slither-disable-next-line low-level-calls
        (bool success, bytes memory answer) = group.staticcall(abi.encodeCall(IGroup.isMember, (given)));
        return success && answer.length >= 32 && abi.decode(answer, (uint256)) == 1;
    }
}
