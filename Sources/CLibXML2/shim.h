#pragma once
#include <libxml/parser.h>
#include <libxml/relaxng.h>
#include <libxml/tree.h>
#include <libxml/xpath.h>

// xmlFree is a global variable that holds a function; Swift 6 refuses to read it because anybody could change it.
static inline void clibxml2_free(void *memory) { xmlFree(memory); }
