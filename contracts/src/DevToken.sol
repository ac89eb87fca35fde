// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ERC20 } from "solady/tokens/ERC20.sol";

/// @title A token for development networks
/// @notice Anybody can mint any amount. Never give it a value.
contract DevToken is ERC20 {
    /// @notice ERC-20 name.
    /// @return A name that says what the token is.
    function name() public pure override returns (string memory) {
        return "Sealwork Development Token";
    }

    /// @notice ERC-20 symbol.
    /// @return The symbol.
    function symbol() public pure override returns (string memory) {
        return "SWDEV";
    }

    /// @notice Makes new tokens.
    /// @param to Who gets them.
    /// @param amount How many, in the smallest unit.
    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    /// @dev No contract is approved unless an owner says so.
    function _givePermit2InfiniteAllowance() internal pure override returns (bool) {
        return false;
    }
}
