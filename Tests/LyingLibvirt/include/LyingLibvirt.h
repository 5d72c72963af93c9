// A library to be preloaded (LD_PRELOAD) into kiln by tests: libvirt's calls do their work, and then report a failure with a
// number that no libvirt has. So what kiln decides, it decides by what is true.
//
// KILN_TEST_LIES names the calls that lie, with blanks between them: names of libvirt's functions, or agent commands such as
// guest-shutdown. Functions that only read lie once in three times, since what can never be read can't be judged.
// KILN_TEST_LIES_TOLD is a file to which each lie is appended as a line, so that a test can see that it was told.
