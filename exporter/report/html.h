/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Text of people as text of an HTML page, never as markup. */
#ifndef SEEDSHIP_REPORT_HTML_H
#define SEEDSHIP_REPORT_HTML_H

#include "common/base/buf.h"

/*
 * Appends text so that it reads the same between tags and in a quoted attribute, for parsers of
 * HTML and of XML: markup is escaped; white space is a blank; a character that cannot stand in XML,
 * controls the terminal or turns the direction of what follows is U+FFFD; a byte that is not UTF-8
 * reads \xHH.
 */
void html_put(struct buf *out, const char *text);

#endif
