// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IAccounts } from "./interfaces/IAccounts.sol";
import { SafeTransferLib } from "solady/utils/SafeTransferLib.sol";

/// @title A token that wraps the chain's own coin
interface IWrappedNative {
    /// @notice Gives the sender as many tokens as coins were sent.
    function deposit() external payable;
}

/// @title Deposits of the chain's own coin
/// @notice For deployments whose token is a wrapper of the coin, such as WETH. Withdrawals pay out the wrapped token.
contract NativeGateway {
    /// @notice Holds the money.
    IAccounts public immutable market;
    /// @notice The wrapper, which is the Market's token.
    address public immutable wrapper;

    /// @notice There was nothing to deposit.
    error NothingSent();

    /// @param market_ Holds the money.
    constructor(address market_) {
        market = IAccounts(market_);
        // An address without code, as zero, has no token.
        // slither-disable-next-line missing-zero-check
        wrapper = IAccounts(market_).token();
        SafeTransferLib.safeApprove(wrapper, market_, type(uint256).max);
    }

    /// @notice Wraps what is sent and credits the sender.
    receive() external payable {
        _deposit(msg.sender);
    }

    /// @notice Wraps what is sent and credits an account.
    /// @param owner Who is credited.
    function depositFor(address owner) external payable {
        _deposit(owner);
    }

    function _deposit(address owner) private {
        if (msg.value == 0) revert NothingSent();
        IWrappedNative(wrapper).deposit{ value: msg.value }();
        market.depositFor(owner, msg.value);
    }
}
