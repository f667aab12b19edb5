/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of struct reader share: its connection, its statements, one row as an entry. */
#ifndef SEEDSHIP_STORE_READER_IMPL_H
#define SEEDSHIP_STORE_READER_IMPL_H

#include "common/ext/sql.h"
#include "common/store/fetcher.h"
#include "common/store/frame.h"
#include "common/store/reader.h"

/* Chunks read under one look into the index. */
#define WINDOW_CHUNKS 64

enum reader_query {
	QUERY_STORE,	 /* the store's row */
	QUERY_INODE,	 /* an inode */
	QUERY_CHUNKS,	 /* places of a range of chunks of a file */
	QUERY_NEXT_NAME, /* the name of a directory that follows a name, with its inode */
	N_QUERIES,
};

struct reader {
	struct sql *db;
	struct sql_stmt *query[N_QUERIES];
	struct fetcher *fetcher;
	uint8_t uuid[STORE_UUID_BYTES];
	uint32_t chunk_bytes;
};

/* Fills in what columns first, first + 1, ... of the current row say; path and name are "". */
void entry_from_row(struct sql_stmt *row, int first, struct staged_entry *ret);

#endif
