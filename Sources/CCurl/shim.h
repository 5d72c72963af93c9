#pragma once

#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

// libcurl takes options and gives facts through functions with variable arguments, which Swift can't call. One function per
// kind of argument keeps the compiler checking it.

static inline CURLcode kiln_curl_set_number(CURL *curl, CURLoption option, long number)
{
    return curl_easy_setopt(curl, option, number);
}

// libcurl copies the text.
static inline CURLcode kiln_curl_set_text(CURL *curl, CURLoption option, const char *text)
{
    return curl_easy_setopt(curl, option, text);
}

static inline CURLcode kiln_curl_set_list(CURL *curl, CURLoption option, struct curl_slist *list)
{
    return curl_easy_setopt(curl, option, list);
}

static inline CURLcode kiln_curl_set_pointer(CURL *curl, CURLoption option, void *pointer)
{
    return curl_easy_setopt(curl, option, pointer);
}

static inline CURLcode kiln_curl_set_sink(CURL *curl, CURLoption option, curl_write_callback sink)
{
    return curl_easy_setopt(curl, option, sink);
}

static inline CURLcode kiln_curl_set_opener(CURL *curl, curl_opensocket_callback opener)
{
    return curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, opener);
}

static inline CURLcode kiln_curl_set_prerequisite(CURL *curl, curl_prereq_callback question)
{
    return curl_easy_setopt(curl, CURLOPT_PREREQFUNCTION, question);
}

static inline long kiln_curl_get_number(CURL *curl, CURLINFO info)
{
    long number = 0;
    return curl_easy_getinfo(curl, info, &number) == CURLE_OK ? number : 0;
}
