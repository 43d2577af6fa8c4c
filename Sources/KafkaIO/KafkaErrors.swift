// librdkafka's error codes as Failures.

import CRdKafka
public import Contracts

/// Something that happened to a client beside its data.
public enum KafkaEvent: Sendable {
    /// Brokers are away or refuse us; the client goes on trying.
    case disturbance(Failure)
    /// The client can't go on.
    case fatal(Failure)
    /// A partition's position is not in the log any more (retention, truncation, recreation).
    case offsetLost(partition: Int32, Failure)
    /// A partition can't be read: authorization, a broken batch.
    case partitionFailed(partition: Int32, Failure)

    public var failure: Failure {
        switch self {
        case .disturbance(let failure), .fatal(let failure), .offsetLost(_, let failure),
            .partitionFailed(_, let failure):
            failure
        }
    }
}

extension Failure {
    /// A failure of librdkafka's: its code's name, lower case, behind `kafka.`.
    static func kafka(
        _ error: rd_kafka_resp_err_t, _ what: String, _ detail: String? = nil,
        kind: FailureKind = .failed
    ) -> Failure {
        // SAFETY: both functions answer static strings.
        var name = unsafe String(cString: rd_kafka_err2name(error)).lowercased()
        while name.hasPrefix("_") { name.removeFirst() }
        let sentence = unsafe detail ?? String(cString: rd_kafka_err2str(error))
        return Failure(kind, "kafka.\(name)", "\(what): \(sentence)", hint: hint(error))
    }

    private static func hint(_ error: rd_kafka_resp_err_t) -> String? {
        switch error {
        case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, RD_KAFKA_RESP_ERR__TRANSPORT,
            RD_KAFKA_RESP_ERR__RESOLVE, RD_KAFKA_RESP_ERR__TIMED_OUT:
            "is the broker running, and bootstrap_servers right?"
        case RD_KAFKA_RESP_ERR__AUTHENTICATION, RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED,
            RD_KAFKA_RESP_ERR__SSL:
            "see the \"kafka.sasl.*\" and \"kafka.ssl.*\" options"
        case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC,
            RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
            "does the topic exist?"
        case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
            RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED,
            RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED,
            RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
            "the user lacks a right (ACL)"
        default: nil
        }
    }

    /// How little it says about why nobody answers.
    var vagueness: Int {
        switch code {
        case "kafka.authentication", "kafka.sasl_authentication_failed", "kafka.ssl": 0
        case "kafka.resolve", "kafka.transport": 1
        default: 2
        }
    }

    static func check(_ error: rd_kafka_resp_err_t, _ what: String) throws(Failure) {
        guard error != RD_KAFKA_RESP_ERR_NO_ERROR else { return }
        throw kafka(error, what)
    }
}

/// What an error object of librdkafka's says; takes it over.
struct KafkaErrorObject {
    let code: rd_kafka_resp_err_t
    let message: String
    let isFatal: Bool
    let isRetriable: Bool
    let requiresAbort: Bool

    /// nil: no error.
    init?(consuming error: OpaquePointer?) {
        guard let error = unsafe error else { return nil }
        // SAFETY: `error` is ours until it is destroyed here; the string is copied before.
        code = unsafe rd_kafka_error_code(error)
        message = unsafe String(cString: rd_kafka_error_string(error))
        isFatal = unsafe rd_kafka_error_is_fatal(error) != 0
        isRetriable = unsafe rd_kafka_error_is_retriable(error) != 0
        requiresAbort = unsafe rd_kafka_error_txn_requires_abort(error) != 0
        unsafe rd_kafka_error_destroy(error)
    }

    func failure(_ what: String) -> Failure {
        .kafka(code, what, message, kind: isFenced ? .fenced : .failed)
    }

    var isFenced: Bool {
        code == RD_KAFKA_RESP_ERR__FENCED || code == RD_KAFKA_RESP_ERR_PRODUCER_FENCED
            || code == RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH
    }
}
