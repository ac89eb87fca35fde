// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IGroup } from "../../src/interfaces/IGroup.sol";
import { ECDSA } from "solady/utils/ECDSA.sol";

/// @dev A wallet contract whose owner signs for it (ERC-1271).
contract Wallet {
    address private immutable _owner;

    constructor(address owner) {
        _owner = owner;
    }

    function isValidSignature(bytes32 digest, bytes calldata signature) external view returns (bytes4) {
        return ECDSA.tryRecoverCalldata(digest, signature) == _owner ? bytes4(0x1626ba7e) : bytes4(0xffffffff);
    }
}

/// @dev A group with one member; the odd value makes the answer something other than a bool.
contract Group is IGroup {
    bytes32 private immutable _member;

    constructor(bytes32 member) {
        _member = member;
    }

    function isMember(bytes32 id) external view returns (bool) {
        return id == _member;
    }
}

/// @dev Answers every call with 2, which is no bool.
contract OddGroup {
    fallback() external {
        assembly ("memory-safe") {
            mstore(0, 2)
            return(0, 32)
        }
    }
}
