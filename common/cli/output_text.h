/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The text form of a result: aligned "Key: value" lists, and tables with a heading line. */
#ifndef SEEDSHIP_CLI_OUTPUT_TEXT_H
#define SEEDSHIP_CLI_OUTPUT_TEXT_H

#include <stdio.h>

#include "common/ext/json.h"

/*
 * people: an object whose values are texts, objects (groups) and arrays of objects (tables). types:
 * the same shape with typed values; columns of numbers are set to the right.
 */
void output_text_print(json_t *people, const json_t *types, FILE *out);

#endif
