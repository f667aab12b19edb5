/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The request that creates an import job: PUT of Microsoft.ImportExport/jobs, api-version
 * 2020-08-01. Builds text; sends nothing.
 *
 * Source: Azure/azure-rest-api-specs, storageimportexport 2020-08-01: Jobs_Create,
 * PutJobParameters.
 */
#ifndef SEEDSHIP_AZURE_IMPORT_JOB_H
#define SEEDSHIP_AZURE_IMPORT_JOB_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/err.h"

#define IMPORT_JOB_DRIVES_MAX  10 /* of one job */
#define IMPORT_JOB_ENDPOINT    "https://management.azure.com"
#define IMPORT_JOB_API_VERSION "2020-08-01"
#define IMPORT_JOB_DIAGNOSTICS "waimportexport" /* container the service puts its logs in */

/*
 * What an import job knows of a drive. driveHeaderHash is always sent empty: the service computes
 * none.
 */
struct import_drive {
	const char *drive_id;	   /* hardware serial number, without spaces */
	const char *bitlocker_key; /* recovery password */
	const char *manifest_file; /* "\DriveManifest.xml" */
	const char *manifest_hash; /* MD5, 32 hex digits */
};

/* Where the drives go back to. */
struct import_address {
	const char *recipient;
	const char *street;
	const char *street2; /* NULL = left out */
	const char *city;
	const char *state; /* NULL = left out */
	const char *postal_code;
	const char *country;
	const char *phone;
	const char *email;
};

/* All lent. */
struct import_job {
	const char *endpoint; /* of the resource manager; NULL = IMPORT_JOB_ENDPOINT */
	const char *subscription_id;
	const char *resource_group;
	const char *name;
	const char *location;
	const char *storage_account;
	const char *storage_resource_group;
	struct import_address return_address;
	const char *carrier;	     /* NULL = no return shipping yet: it can be added later */
	const char *carrier_account; /* NULL with carrier */
	bool verbose_log;	     /* the service logs every blob, not errors alone */
	bool backup_manifests;	     /* the service keeps the manifests beside its logs */
	size_t n_drives;	     /* 1 to IMPORT_JOB_DRIVES_MAX */
	const struct import_drive *drives;
};

/* The URL of the job, its parts percent-encoded (RFC 3986); caller frees. */
int import_job_url(const struct import_job *job, char **ret, struct err *e) _warn_unused_result_;

/*
 * The JSON body, in key memory for it holds the drives' keys: *ret goes to secret_free(). -EINVAL
 * when the number of drives is not allowed or something that must be there is not.
 */
int import_job_body(const struct import_job *job, char **ret, struct err *e) _warn_unused_result_;

#endif
