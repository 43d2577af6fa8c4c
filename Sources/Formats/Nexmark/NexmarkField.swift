// The names under which Nexmark's fields can be declared.

import Contracts
import Types

/// A kind of event.
enum NexmarkRecord: String, CaseIterable {
    case bid, auction, person

    /// The fields in the benchmark's order.
    var fields: [NexmarkField] {
        switch self {
        case .bid: [.bidAuction, .bidBidder, .bidPrice, .bidChannel, .bidURL, .time, .bidExtra]
        case .auction:
            [
                .auctionID, .auctionItem, .auctionDescription, .auctionInitialBid, .auctionReserve,
                .time, .auctionExpires, .auctionSeller, .auctionCategory, .auctionExtra,
            ]
        case .person:
            [
                .personID, .personName, .personEmail, .personCard, .personCity, .personState, .time,
                .personExtra,
            ]
        }
    }

    /// The field called `name`; `dateTime` and `date_time` are the same.
    func field(_ name: String) -> NexmarkField? {
        let plain = name.nexmarkPlain
        return fields.first { $0.name.nexmarkPlain == plain }
    }

    /// Whether an event is of this kind.
    func holds(_ event: Int64) -> Bool {
        let position = event % NexmarkEvents.proportion
        switch self {
        case .person: return position == 0
        case .auction: return position >= 1 && position <= NexmarkEvents.auctionsPerEpoch
        case .bid: return position > NexmarkEvents.auctionsPerEpoch
        }
    }
}

enum NexmarkField {
    case bidAuction, bidBidder, bidPrice, bidChannel, bidURL, bidExtra
    case auctionID, auctionItem, auctionDescription, auctionInitialBid, auctionReserve
    case auctionExpires, auctionSeller, auctionCategory, auctionExtra
    case personID, personName, personEmail, personCard, personCity, personState, personExtra
    case time, eventType

    var name: String {
        switch self {
        case .bidAuction: "auction"
        case .bidBidder: "bidder"
        case .bidPrice: "price"
        case .bidChannel: "channel"
        case .bidURL: "url"
        case .auctionID, .personID: "id"
        case .auctionItem: "item_name"
        case .auctionDescription: "description"
        case .auctionInitialBid: "initial_bid"
        case .auctionReserve: "reserve"
        case .auctionExpires: "expires"
        case .auctionSeller: "seller"
        case .auctionCategory: "category"
        case .personName: "name"
        case .personEmail: "email_address"
        case .personCard: "credit_card"
        case .personCity: "city"
        case .personState: "state"
        case .bidExtra, .auctionExtra, .personExtra: "extra"
        case .time: "date_time"
        case .eventType: "event_type"
        }
    }

    /// Whether a column of this type can take the field.
    func fits(_ type: LogicalType) -> Bool {
        switch self {
        case .time, .auctionExpires: type == .timestamptz || type == .timestamp
        case .bidChannel, .bidURL, .bidExtra, .auctionItem, .auctionDescription, .auctionExtra,
            .personName, .personEmail, .personCard, .personCity, .personState, .personExtra:
            type == .text
        case .eventType, .auctionCategory: type == .bigint || type == .integer
        default: type == .bigint
        }
    }

    var typeName: String {
        switch self {
        case .time, .auctionExpires: "timestamptz"
        case .eventType: "integer"
        default: fits(.text) ? "text" : "bigint"
        }
    }
}

extension String {
    fileprivate var nexmarkPlain: String { lowercased().filter { $0 != "_" } }
}
