// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Artifacts } from "../../../script/Artifacts.sol";
import { Deployed, Deployment, DeploymentRequest } from "../../../script/Deployment.sol";
import { DevToken } from "../../../src/DevToken.sol";
import { vm } from "../../utils/Vm.sol";

/// @dev A deployment: contracts that name each other.
contract DeploymentTest {
    // forge-lint: disable-next-line(mixed-case-variable)
    bool public constant IS_TEST = true;

    function _request(address token, uint256 skip) private view returns (DeploymentRequest memory request) {
        request.deployer = address(this);
        request.nonce = vm.getNonce(address(this)) + skip;
        request.token = token;
        request.governor = address(2);
        request.feeRecipient = address(3);
        request.feeBps = 100;
        request.members = new address[](1);
        request.members[0] = address(4);
        request.threshold = 1;
    }

    /// @dev A call of its own, so that its revert can be expected.
    function create(DeploymentRequest calldata request) external returns (Deployed memory) {
        return Deployment.create(request);
    }

    function _fit(Deployed memory made) private view {
        vm.assertEq(made.market.token(), made.token);
        vm.assertEq(made.market.registry(), address(made.registry));
        vm.assertEq(made.market.attestations(), address(made.attestations));
        vm.assertEq(made.market.moduleOf(0), address(made.batches));
        vm.assertEq(made.market.moduleOf(5), address(made.channels));
        vm.assertEq(made.market.governor(), address(2));
        vm.assertEq(made.market.feeRecipient(), address(3));
        vm.assertEq(made.market.fee(), 100);
        vm.assertEq(made.attestations.market(), address(made.market));
        vm.assertEq(made.attestations.governor(), address(2));
        vm.assertEq(address(made.batches.market()), address(made.market));
        vm.assertEq(address(made.batches.attestations()), address(made.attestations));
        vm.assertEq(address(made.channels.market()), address(made.market));
        vm.assertEq(address(made.book.market()), address(made.market));
        vm.assertEq(address(made.book.registry()), address(made.registry));
    }

    function test_WhenNoTokenIsGiven() public {
        Deployed memory made = this.create(_request(address(0), 0));
        // it should create one that anybody can mint, and contracts that name each other
        DevToken(made.token).mint(address(this), 1);
        _fit(made);
    }

    function test_WhenATokenIsGiven() public {
        address token = Artifacts.create("DevToken", "");
        Deployed memory made = this.create(_request(token, 0));
        // it should use it
        vm.assertEq(made.token, token);
        _fit(made);
    }

    function test_RevertWhen_TheNonceIsNotTheDeployers() public {
        DeploymentRequest memory request = _request(address(1), 1);
        vm.expectPartialRevert(Deployment.WrongAddress.selector);
        this.create(request);
    }
}
