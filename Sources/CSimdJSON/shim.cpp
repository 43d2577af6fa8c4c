#define SIMDJSON_EXCEPTIONS 0
#include "CSimdJSON.h"
#include <simdjson.h>

extern "C" const char *millrace_simdjson_implementation(void) {
    static const std::string name = simdjson::get_active_implementation()->name();
    return name.c_str();
}
