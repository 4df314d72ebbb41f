# Says of each signature of the mail on standard input what Mail::DKIM makes of it.
# Arguments: NAME=STRING of the DNS; a name that comes again has its TXT record in several strings.
use strict;
use warnings;

package Records;

sub send {
    my ($self, $name, $type) = @_;
    my $answer = Net::DNS::Packet->new($name, $type);
    my $strings = $self->{lc $name};
    $answer->header->rcode($strings ? 'NOERROR' : 'NXDOMAIN');
    $answer->push(answer => Net::DNS::RR->new(name => $name, type => 'TXT', txtdata => $strings))
        if $strings;
    return $answer;
}

sub errorstring { return 'NOERROR' }

package main;

use Mail::DKIM::DNS;
use Mail::DKIM::Verifier;
use Net::DNS;

my $records = bless {}, 'Records';
for (@ARGV) {
    my ($name, $string) = split /=/, $_, 2;
    push @{ $records->{lc $name} }, $string;
}
Mail::DKIM::DNS::resolver($records);

binmode STDIN;
my $verifier = Mail::DKIM::Verifier->new;
local $/ = undef;
$verifier->PRINT(scalar <STDIN>);
$verifier->CLOSE;
print $_->algorithm, ' ', $_->result, "\n" for $verifier->signatures;
