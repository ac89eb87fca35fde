// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @dev Delegated code (EIP-7702) that signs nothing: the account's own key must do.
contract MuteAccount {
    function isValidSignature(bytes32, bytes calldata) external pure returns (bytes4) {
        return 0xffffffff;
    }
}

/// @dev A wallet that answers with fewer bytes than ERC-1271 wants.
contract ShortWallet {
    fallback() external {
        assembly ("memory-safe") {
            mstore(0, shl(224, 0x1626ba7e))
            return(0, 4)
        }
    }
}

/// @dev A wallet that wants its own kind of proof, of any length.
contract PhraseWallet {
    bytes32 private immutable _phrase;

    constructor(bytes memory phrase) {
        _phrase = keccak256(phrase);
    }

    function isValidSignature(bytes32, bytes calldata signature) external view returns (bytes4) {
        return keccak256(signature) == _phrase ? bytes4(0x1626ba7e) : bytes4(0);
    }
}
