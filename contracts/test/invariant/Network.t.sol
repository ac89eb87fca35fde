// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Params } from "../../src/generated/Params.sol";
import { vm } from "../utils/Vm.sol";
import { ChannelHandler } from "./ChannelHandler.sol";

/// @dev What holds after any sequence of what people can do. The handlers say before every call whether it is possible:
/// a call that is refused although the model allows it fails a run as much as one that the model forbids.
contract NetworkInvariants {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    // forge-lint: disable-next-line(mixed-case-variable)
    bool public constant IS_TEST = true;

    ChannelHandler private _handler;

    function setUp() public {
        _handler = new ChannelHandler();
        _handler.setUp();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_handler);
    }

    function targetSelectors() external view returns (FuzzSelector[] memory targets) {
        targets = new FuzzSelector[](1);
        bytes4[22] memory all = [
            ChannelHandler(address(0)).deposit.selector,
            ChannelHandler(address(0)).depositFor.selector,
            ChannelHandler(address(0)).requestWithdrawal.selector,
            ChannelHandler(address(0)).withdraw.selector,
            ChannelHandler(address(0)).drawKitty.selector,
            ChannelHandler(address(0)).setFee.selector,
            ChannelHandler(address(0)).wait.selector,
            ChannelHandler(address(0)).matchOrders.selector,
            ChannelHandler(address(0)).matchRest.selector,
            ChannelHandler(address(0)).execute.selector,
            ChannelHandler(address(0)).cancelRest.selector,
            ChannelHandler(address(0)).cancelOffer.selector,
            ChannelHandler(address(0)).transferApp.selector,
            ChannelHandler(address(0)).updateApp.selector,
            ChannelHandler(address(0)).revoke.selector,
            ChannelHandler(address(0)).settle.selector,
            ChannelHandler(address(0)).settleBatch.selector,
            ChannelHandler(address(0)).start.selector,
            ChannelHandler(address(0)).claim.selector,
            ChannelHandler(address(0)).redeem.selector,
            ChannelHandler(address(0)).startClosing.selector,
            ChannelHandler(address(0)).close.selector
        ];
        bytes4[] memory selectors = new bytes4[](all.length + 1);
        for (uint256 i = 0; i < all.length; ++i) {
            selectors[i] = all[i];
        }
        selectors[all.length] = ChannelHandler(address(0)).tamper.selector;
        targets[0] = FuzzSelector({ addr: address(_handler), selectors: selectors });
    }

    /// @dev Accounts, kitty and tokens are what the model says; deals and salts are looked at in turn.
    function invariant_TheMarketIsItsModel() public {
        _handler.checkMoney();
        _handler.checkNext();
    }

    /// @dev Every deal and salt; then nothing stays stuck after the last deadline.
    function afterInvariant() public {
        _handler.checkAll();
        vm.warp(_handler.time() + Params.DEAL_LIFETIME_S + 1);
        _handler.finishClaims();
        _handler.checkMoney();
        _handler.checkAll();
        _handler.finishRequests();
        vm.warp(_handler.time() + Params.WITHDRAWAL_DELAY_S);
        _handler.finishWithdrawals();
    }
}
