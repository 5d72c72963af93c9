#pragma once
#include <libxml/xmlversion.h>
// Debian builds libxml2 with ICU, whose types would enter this module and clash with those of Foundation's own ICU in
// every module that sees both. Only a field of an opaque handler depends on them.
#undef LIBXML_ICU_ENABLED
#include <libxml/parser.h>
#include <libxml/relaxng.h>
#include <libxml/tree.h>
#include <libxml/xpath.h>

// xmlFree is a global variable that holds a function; Swift 6 refuses to read it because anybody could change it.
static inline void clibxml2_free(void *memory) { xmlFree(memory); }
