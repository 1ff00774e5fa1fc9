# Perl's Net::FTP over IO::Socket::SSL.
use strict;
use warnings;
use JSON::PP;
use Net::FTP;

my $job = decode_json(join '', <STDIN>);
my $implicit = $job->{mode} eq 'implicit';
my $ftp = Net::FTP->new(
    $job->{host},
    Port => $job->{port},
    Passive => 1,
    Timeout => 30,
    SSL => $implicit ? 1 : 0,
    SSL_ca_file => $job->{ca},
    SSL_version => $job->{version} eq '1.2' ? 'TLSv1_2' : 'TLSv1_3',
) or die "connect: $@\n";
check($implicit || $ftp->starttls, 'starttls');
check($ftp->login($job->{user}, $job->{password}), 'login');
check($ftp->prot('P'), 'prot');
check($ftp->binary, 'binary');
perform(@$_) for @{ $job->{steps} };
$ftp->quit;

sub check { my ($ok, $what) = @_; die "$what: " . $ftp->message . "\n" unless $ok }

sub perform {
    my ($name, $first, $second) = @_;
    if ($name eq 'make-folder') { check($ftp->mkdir($first), $name) }
    elsif ($name eq 'list') { print "$_\n" for $ftp->dir($first); check($ftp->ok, $name) }
    elsif ($name eq 'upload') { check(scalar $ftp->put($first, $second), $name) }
    elsif ($name eq 'download') { check(scalar $ftp->get($first, $second), $name) }
    elsif ($name eq 'resume-download') { check(scalar $ftp->get($first, $second, -s $second), $name) }
    elsif ($name eq 'resume-upload') {
        # put() restarts by itself at the place that restart() names, in the local file as well as in the remote one.
        open my $file, '<:raw', $first or die "$first: $!\n";
        my $there = $ftp->size($second);
        seek $file, $there, 0;
        $ftp->restart($there);
        check(scalar $ftp->put($file, $second), $name);
    }
    elsif ($name eq 'rename') { check($ftp->rename($first, $second), $name) }
    elsif ($name eq 'delete') { check($ftp->delete($first), $name) }
}
