// One call into each C library, under all language settings, in debug and release: what does not
// import or link shows here first.

import CCompression
import CCrypto
import CCurl
import CJemalloc
import CMicroHTTPD
import CPCRE2
import CPgQuery
import CRdKafka
import CRoaring
import CRocksDB
import CSimdJSON
import CSystem
import CXXHash
import Testing

@Suite struct LibraryTests {
    @Test func rdKafkaAnswers() { #expect(rd_kafka_version() >= 0x0200_00ff) }

    @Test func rocksDBAnswers() {
        let options = unsafe rocksdb_options_create()
        unsafe rocksdb_options_set_create_if_missing(options, 1)
        #expect(unsafe rocksdb_options_get_create_if_missing(options) == 1)
        unsafe rocksdb_options_destroy(options)
    }

    @Test func pgQueryParses() {
        let result = unsafe pg_query_parse("SELECT 1")
        #expect(unsafe result.error == nil)
        unsafe pg_query_free_parse_result(result)
    }

    @Test func simdjsonAnswers() {
        #expect(unsafe !String(cString: millrace_simdjson_implementation()).isEmpty)
    }

    @Test func compressionAnswers() {
        #expect(ZSTD_versionNumber() >= 10504)
        #expect(snappy_max_compressed_length(100) > 100)
        #expect(LZ4_versionNumber() > 0)
        #expect(unsafe !String(cString: zlibVersion()).isEmpty)
        #expect(BrotliDecoderVersion() > 0)
    }

    @Test func roaringAnswers() {
        let bitmap = unsafe roaring_bitmap_create_with_capacity(0)
        unsafe roaring_bitmap_add(bitmap, 7)
        #expect(unsafe roaring_bitmap_contains(bitmap, 7))
        unsafe roaring_bitmap_free(bitmap)
    }

    @Test func pcre2Answers() {
        var code: Int32 = 0
        var offset = 0
        let pattern = unsafe pcre2_compile_8("a+", 2, 0, &code, &offset, nil)
        #expect(unsafe pattern != nil)
        unsafe pcre2_code_free_8(pattern)
    }

    @Test func curlAnswers() { #expect(unsafe !String(cString: curl_version()).isEmpty) }
    @Test func cryptoAnswers() { #expect(unsafe EVP_MD_get_size(EVP_sha256()) == 32) }
    @Test func xxHashAnswers() { #expect(unsafe XXH3_64bits("abc", 3) != 0) }
    @Test func microHTTPDAnswers() { #expect(unsafe !String(cString: MHD_get_version()).isEmpty) }

    @Test func jemallocAnswers() {
        let block = unsafe mallocx(64, 0)
        #expect(unsafe block != nil)
        unsafe dallocx(block, 0)
    }

    @Test func systemAnswers() { #expect(unsafe millrace_open("/nonexistent", 0, 0) == -2) }
}
