import Testing

@Suite struct SQLSyntaxTests {}
