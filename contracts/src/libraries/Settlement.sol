// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import { Status } from "../generated/Status.sol";
import { DealTerms } from "../types/Deals.sol";
import { Payment } from "../types/Records.sol";

/// @title Who gets the price of one task
library Settlement {
    uint256 private constant BPS = 10_000;

    /// @notice Price of one task.
    /// @param terms What was agreed.
    function price(DealTerms calldata terms) internal pure returns (uint256 total) {
        total = uint256(terms.appPrice) + terms.poolPrice;
        for (uint256 i = 0; i < terms.datasets.length; ++i) {
            total += terms.datasets[i].price;
        }
    }

    /// @notice Splits the price of one task. Payments and refund together are exactly the price.
    /// @dev The fee is cut from each payment, rounded down.
    /// @param terms What was agreed.
    /// @param status How the task ended.
    /// @param feeRecipient Who gets the protocol fee.
    /// @return payments Who gets how much.
    /// @return refund What goes back to the payer.
    function split(DealTerms calldata terms, uint16 status, address feeRecipient)
        internal
        pure
        returns (Payment[] memory payments, uint256 refund)
    {
        if (!Status.paysWorker(status)) return (new Payment[](0), price(terms));
        if (!Status.paysDeveloper(status)) {
            payments = new Payment[](2);
            refund = price(terms) - terms.poolPrice;
            uint256 onlyFee = _pay(payments, 1, terms.poolOwner, terms.poolPrice, terms.feeBps);
            payments[0] = Payment({ to: feeRecipient, amount: onlyFee });
            return (payments, refund);
        }
        uint256 count = terms.datasets.length;
        payments = new Payment[](3 + count);
        uint256 fee = _pay(payments, 1, terms.poolOwner, terms.poolPrice, terms.feeBps);
        fee += _pay(payments, 2, terms.appOwner, terms.appPrice, terms.feeBps);
        for (uint256 i = 0; i < count; ++i) {
            fee += _pay(payments, 3 + i, terms.datasets[i].owner, terms.datasets[i].price, terms.feeBps);
        }
        payments[0] = Payment({ to: feeRecipient, amount: fee });
    }

    function _pay(Payment[] memory payments, uint256 slot, address to, uint256 amount, uint256 feeBps)
        private
        pure
        returns (uint256 fee)
    {
        fee = amount * feeBps / BPS;
        payments[slot] = Payment({ to: to, amount: amount - fee });
    }
}
