// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Artifacts } from "../../../script/Artifacts.sol";
import { DevToken } from "../../../src/DevToken.sol";
import { vm } from "../../utils/Vm.sol";

/// @dev The token of development networks.
contract DevTokenTest {
    // forge-lint: disable-next-line(mixed-case-variable)
    bool public constant IS_TEST = true;
    address private constant PERMIT2 = 0x000000000022D473030F116dDEE9F6B43aC78BA3;

    DevToken private _token;

    function setUp() public {
        _token = DevToken(Artifacts.create("DevToken", ""));
    }

    function test_Mint_WhenAnybodyCalls() public {
        vm.prank(address(1));
        _token.mint(address(2), 100);
        // it should make new tokens
        vm.assertEq(_token.balanceOf(address(2)), 100);
        vm.assertEq(_token.totalSupply(), 100);
    }

    function test_Name_WhenAsked() public view {
        // it should say what the token is
        vm.assertEq(_token.name(), "Sealwork Development Token");
    }

    function test_Symbol_WhenAsked() public view {
        // it should be short
        vm.assertEq(_token.symbol(), "SWDEV");
    }

    function test_Allowance_WhenTheOwnerApprovedNobody() public view {
        // it should be zero for every contract
        vm.assertEq(_token.allowance(address(2), PERMIT2), 0);
        vm.assertEq(_token.decimals(), 18);
    }
}
