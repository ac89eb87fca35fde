// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import { IGroup } from "../interfaces/IGroup.sol";

/// @title Whether an order's restriction admits a party
/// @dev A restriction is zero (anybody), an id, or a group contract in the low 20 bytes with zeros above. Other values
/// admit nobody; later versions can give them a meaning.
library Restriction {
    /// @notice Whether `given` may take part.
    /// @param restriction From the order.
    /// @param given Id of the app, dataset or pool, or the requester's address as bytes32.
    function admits(bytes32 restriction, bytes32 given) internal view returns (bool) {
        if (restriction == bytes32(0) || restriction == given) return true;
        uint256 word = uint256(restriction);
        if (word >> 160 != 0) return false;
        // casting to 'uint160' is safe because the bits above are zero
        // forge-lint: disable-next-line(unsafe-typecast)
        address group = address(uint160(word));
        if (group.code.length == 0) return false;
        (bool success, bytes memory answer) = group.staticcall(abi.encodeCall(IGroup.isMember, (given)));
        return success && answer.length >= 32 && abi.decode(answer, (uint256)) == 1;
    }

    /// @notice An address as it stands in a restriction.
    /// @param account The address.
    function key(address account) internal pure returns (bytes32) {
        return bytes32(uint256(uint160(account)));
    }
}
