/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rules for the names a person gives: job, storage account, container and the rest. Each check returns 0,
 * or -EINVAL of class ERR_USER with one line that says which character breaks which rule. Nothing is
 * asked of the service: a name that passes may still be taken or unknown.
 */
#ifndef SEEDSHIP_PLAN_BLOBNAME_CHECK_H
#define SEEDSHIP_PLAN_BLOBNAME_CHECK_H

#include "common/base/err.h"

/*
 * Import job: 3-63 lower-case letters, digits, '-' and '_', starting with a letter. The Import/Export
 * service itself publishes no rule; this is the portal's, and the length is ours.
 */
int blobname_check_job(const char *s, struct err *e);

/* Import job of the Data Box service: 3-24 letters, digits and '-', no '-' at either end. */
int blobname_check_databox_job(const char *s, struct err *e);

/* Container: 3-63, by the Blob service's rule. $root is refused: its blobs cannot have a '/'. */
int blobname_check_container(const char *s, struct err *e);

/* Blob prefix: "" for none, else "a/b" without '/' at the ends; every part a valid part of a blob name. */
int blobname_check_prefix(const char *s, struct err *e);

/* Storage account: 3-24 lower-case letters and digits. */
int blobname_check_account(const char *s, struct err *e);

/* Subscription id: a GUID as text. */
int blobname_check_subscription(const char *s, struct err *e);

/* Resource group: 1-90 letters (of any script), digits and _-.(), not ending in '.'. */
int blobname_check_resource_group(const char *s, struct err *e);

/* Location: "West US" or "westus". */
int blobname_check_location(const char *s, struct err *e);

/* Session id: 3-30 letters, digits and _-#; a directory of this name holds the data on the drive. */
int blobname_check_session(const char *s, struct err *e);

#endif
